import type { Metadata } from "next";
import { SignUp } from "@/features/auth/sign-up";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.signUp };

export default function Page() {
  return <SignUp />;
}
