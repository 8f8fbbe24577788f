import type { NextConfig } from "next";
import { PHASE_DEVELOPMENT_SERVER } from "next/constants";

const shared: NextConfig = {
  // Starlette serves /keys/ from keys/index.html; without the slash, direct addresses would be 404.
  trailingSlash: true,
  images: { unoptimized: true },
  // An indicator over the page would only get into screenshots.
  devIndicators: false,
  // The cache remembers failures too: one build cut off, and each after it fails until it is deleted.
  experimental: { turbopackFileSystemCacheForBuild: false },
};

const BACKEND = process.env.DAYPASS_BACKEND ?? "http://127.0.0.1:8000";

/** `npm run dev`: hot reload, with `daypass serve` behind it for everything that is not a page. */
const development: NextConfig = {
  ...shared,
  // The portal's paths have no slash at their end.
  skipTrailingSlashRedirect: true,
  // Compressing would hold back the events of a stream.
  compress: false,
  rewrites: async () =>
    ["/api/:path*", "/v1/:path*", "/healthz", "/readyz"].map((source) => ({
      source,
      destination: `${BACKEND}${source}`,
    })),
};

export default function config(phase: string): NextConfig {
  return phase === PHASE_DEVELOPMENT_SERVER ? development : { ...shared, output: "export" };
}
