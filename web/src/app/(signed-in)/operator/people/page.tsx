import type { Metadata } from "next";
import { PeoplePage } from "@/features/operator/people-page";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.people };

export default function Page() {
  return <PeoplePage />;
}
