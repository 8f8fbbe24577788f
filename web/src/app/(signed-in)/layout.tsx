import type { ReactNode } from "react";
import { Toaster } from "@/components/ui/toast";
import { SessionGate } from "@/features/auth/session-gate";

export default function SignedInLayout({ children }: { children: ReactNode }) {
  return (
    <>
      <SessionGate>{children}</SessionGate>
      <Toaster />
    </>
  );
}
