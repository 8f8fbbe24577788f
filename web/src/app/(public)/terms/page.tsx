import type { Metadata } from "next";
import { TermsPage } from "@/features/terms/terms-page";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.terms };

export default function Page() {
  return <TermsPage />;
}
