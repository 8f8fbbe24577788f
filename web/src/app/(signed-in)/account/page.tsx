import type { Metadata } from "next";
import { AccountPage } from "@/features/account/account-page";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.account };

export default function Page() {
  return <AccountPage />;
}
