import type { Metadata } from "next";
import { SignUpPage } from "@/features/operator/sign-up-page";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.signUpPolicy };

export default function Page() {
  return <SignUpPage />;
}
