import type { Metadata } from "next";
import { DocsPage } from "@/features/docs/docs-page";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.docs };

export default function Docs() {
  return <DocsPage />;
}
