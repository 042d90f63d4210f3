import type { NextConfig } from "next";

const config: NextConfig = {
  // The driver of the database is loaded from node_modules as it is, not bundled.
  serverExternalPackages: ["better-sqlite3"],
  reactStrictMode: true,
  poweredByHeader: false,
};

export default config;
