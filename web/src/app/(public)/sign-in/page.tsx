import type { Metadata } from "next";
import { SignIn } from "@/features/auth/sign-in";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.signIn };

export default function Page() {
  return <SignIn />;
}
