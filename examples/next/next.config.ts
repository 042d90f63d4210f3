import type { NextConfig } from "next";

const config: NextConfig = {
  // The driver of the database is loaded from node_modules as it is, not bundled.
  serverExternalPackages: ["better-sqlite3"],
  // As in a new application of Next: what needs a request is rendered for it, and the rest of a page once.
  cacheComponents: true,
  partialPrefetching: true,
  reactStrictMode: true,
  poweredByHeader: false,
};

export default config;
