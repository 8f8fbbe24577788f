"use client";

import { lazy, Suspense } from "react";

// Below the fold, so its code loads last.
const PlanCards = lazy(() => import("./plan-cards"));

export function Plans() {
  return (
    <Suspense>
      <PlanCards />
    </Suspense>
  );
}
