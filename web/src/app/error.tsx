"use client";

import { Button } from "@/components/ui/button";
import * as strings from "@/strings";

export default function PageError({ reset }: { reset: () => void }) {
  return (
    <div role="alert" className="m-auto max-w-md px-4 py-24 text-center">
      <h1 className="text-2xl font-semibold tracking-tight">{strings.errors.pageFailed}</h1>
      <p className="mt-3 leading-7 text-muted">{strings.errors.unexpected}</p>
      <Button className="mt-8" onClick={reset}>
        {strings.errors.retry}
      </Button>
    </div>
  );
}
