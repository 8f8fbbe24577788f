import type { ReactNode } from "react";
import { OperatorGate } from "@/features/operator/operator-gate";

export default function OperatorLayout({ children }: { children: ReactNode }) {
  return <OperatorGate>{children}</OperatorGate>;
}
