import type { Metadata } from "next";
import { OperatorKeysPage } from "@/features/operator/keys-page";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.allKeys };

export default function Page() {
  return <OperatorKeysPage />;
}
