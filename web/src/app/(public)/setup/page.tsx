import type { Metadata } from "next";
import { SetUp } from "@/features/auth/set-up";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.setup };

export default function Page() {
  return <SetUp />;
}
