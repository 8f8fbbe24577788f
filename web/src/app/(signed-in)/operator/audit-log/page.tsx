import type { Metadata } from "next";
import { AuditPage } from "@/features/operator/audit-page";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.auditLog };

export default function Page() {
  return <AuditPage />;
}
