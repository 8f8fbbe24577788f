import type { Metadata } from "next";
import { PlansPage } from "@/features/operator/plans-page";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.usagePlans };

export default function Page() {
  return <PlansPage />;
}
