import type { Metadata } from "next";
import { UpstreamsPage } from "@/features/operator/upstreams-page";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.upstreams };

export default function Page() {
  return <UpstreamsPage />;
}
