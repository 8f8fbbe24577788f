"use client";

import * as strings from "@/strings";
import PageError from "./error";
import "./globals.css";

export default function GlobalError({ reset }: { reset: () => void }) {
  return (
    <html lang="en">
      <head>
        <title>{strings.product}</title>
      </head>
      <body className="flex min-h-dvh flex-col font-sans">
        <PageError reset={reset} />
      </body>
    </html>
  );
}
