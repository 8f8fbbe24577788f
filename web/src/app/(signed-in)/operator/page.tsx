import type { Metadata } from "next";
import { OverviewPage } from "@/features/operator/overview-page";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.operator };

export default function Page() {
  return <OverviewPage />;
}
