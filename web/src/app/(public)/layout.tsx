import type { ReactNode } from "react";
import { Footer } from "@/features/shell/footer";

export default function PublicLayout({ children }: { children: ReactNode }) {
  return (
    <>
      <div className="flex-1">{children}</div>
      <Footer />
    </>
  );
}
