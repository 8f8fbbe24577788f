"use client";

import { lazy, Suspense } from "react";

// Far down the page: its code comes after everything else.
const PlanCards = lazy(() => import("./plan-cards"));

export function Plans() {
  return (
    <Suspense>
      <PlanCards />
    </Suspense>
  );
}
