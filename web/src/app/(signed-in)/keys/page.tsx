import type { Metadata } from "next";
import { KeysPage } from "@/features/api-keys/keys-page";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.keys };

export default function Page() {
  return <KeysPage />;
}
