"use client";

import { PageHeading } from "@/components/page-heading";
import * as strings from "@/strings";
import { History } from "./history";
import { Requests } from "./requests";
import { Today } from "./today";

export function UsagePage() {
  return (
    <div className="mx-auto w-full max-w-5xl px-4 py-10 sm:px-6">
      <PageHeading title={strings.usage.title} text={strings.usage.text} />
      <div className="space-y-14">
        <Today />
        <History />
        <Requests />
      </div>
    </div>
  );
}
