import type { NextConfig } from "next";

const config: NextConfig = {
  output: "export",
  // Starlette serves /keys/ from keys/index.html; without the slash, direct addresses would be 404.
  trailingSlash: true,
  images: { unoptimized: true },
  // Python serves the export as it is; an indicator over the page would only get into screenshots.
  devIndicators: false,
};

export default config;
