import type { Metadata } from "next";
import { ResetPassword } from "@/features/auth/reset-password";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.resetPassword };

export default function Page() {
  return <ResetPassword />;
}
