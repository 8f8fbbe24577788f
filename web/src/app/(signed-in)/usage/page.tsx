import type { Metadata } from "next";
import { UsagePage } from "@/features/usage/usage-page";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.usage };

export default function Page() {
  return <UsagePage />;
}
