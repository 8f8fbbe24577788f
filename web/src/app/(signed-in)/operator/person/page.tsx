import type { Metadata } from "next";
import { Suspense } from "react";
import { PersonPage } from "@/features/operator/person-page";
import * as strings from "@/strings";

export const metadata: Metadata = { title: strings.titles.person };

export default function Page() {
  return (
    // The exported page does not know whose page it is.
    <Suspense>
      <PersonPage />
    </Suspense>
  );
}
