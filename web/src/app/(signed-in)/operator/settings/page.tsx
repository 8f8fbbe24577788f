import type { Metadata } from "next";
import { SettingsPage } from "@/features/operator/settings-page";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.settings };

export default function Page() {
  return <SettingsPage />;
}
