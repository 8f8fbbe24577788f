import type { NextConfig } from "next";

const config: NextConfig = {
  output: "export",
  // Starlette serves /keys/ from keys/index.html; without the slash, direct addresses would be 404.
  trailingSlash: true,
  images: { unoptimized: true },
  // An indicator over the page would only get into screenshots.
  devIndicators: false,
  // The cache remembers failures too: one build cut off, and each after it fails until it is deleted.
  experimental: { turbopackFileSystemCacheForBuild: false },
};

export default config;
