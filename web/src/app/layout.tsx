import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import { firstPaint } from "@/features/shell/first-paint";
import { Header } from "@/features/shell/header";
import { Providers } from "@/features/shell/providers";
import { SiteNotices } from "@/features/shell/site-notices";
import * as strings from "@/strings";
import { mono, sans } from "./fonts";
import "./globals.css";

export const metadata: Metadata = {
  title: { default: strings.titles.landing, template: `%s · ${strings.product}` },
  description: strings.description,
  applicationName: strings.product,
  openGraph: { type: "website", siteName: strings.product, locale: "en" },
  manifest: "/manifest.webmanifest",
};

export const viewport: Viewport = {
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#ffffff" },
    { media: "(prefers-color-scheme: dark)", color: "#0b0b0d" },
  ],
};

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    // Scripts in the head set a class and marks before React hydrates.
    <html lang="en" suppressHydrationWarning className={`${sans.variable} ${mono.variable}`}>
      <head>
        <script dangerouslySetInnerHTML={{ __html: firstPaint }} />
        {/* Sets the marks for the style variants `demo` and `aws`. */}
        {/* eslint-disable-next-line @next/next/no-sync-scripts -- must run before the first paint */}
        <script src="/api/site.js" />
      </head>
      <body className="flex min-h-dvh flex-col font-sans">
        <Providers>
          <a
            href="#content"
            className="sr-only z-50 rounded-md bg-ink px-4 py-2 text-on-ink focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
          >
            {strings.nav.skip}
          </a>
          <Header />
          <SiteNotices />
          <main id="content" tabIndex={-1} className="flex flex-1 flex-col outline-none">
            {children}
          </main>
        </Providers>
      </body>
    </html>
  );
}
