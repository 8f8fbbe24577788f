import type { Metadata } from "next";
import { LivePage } from "@/features/operator/live-page";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.live };

export default function Page() {
  return <LivePage />;
}
