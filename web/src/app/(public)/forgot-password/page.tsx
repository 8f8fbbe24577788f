import type { Metadata } from "next";
import { ForgotPassword } from "@/features/auth/forgot-password";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.forgotPassword };

export default function Page() {
  return <ForgotPassword />;
}
