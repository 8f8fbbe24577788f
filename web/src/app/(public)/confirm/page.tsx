import type { Metadata } from "next";
import { Confirm } from "@/features/auth/confirm";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.confirm };

export default function Page() {
  return <Confirm />;
}
