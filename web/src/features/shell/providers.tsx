"use client";

import { QueryClientProvider } from "@tanstack/react-query";
import { useEffect, useState, type ReactNode } from "react";
import { createQueryClient } from "@/api/query-client";
import { watchSession } from "@/api/session";

export function Providers({ children }: { children: ReactNode }) {
  const [client] = useState(createQueryClient);
  useEffect(() => watchSession(client), [client]);
  return <QueryClientProvider client={client}>{children}</QueryClientProvider>;
}
