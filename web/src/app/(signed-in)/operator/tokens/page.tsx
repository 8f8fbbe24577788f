import type { Metadata } from "next";
import { TokensPage } from "@/features/operator/tokens-page";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.tokens };

export default function Page() {
  return <TokensPage />;
}
