import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: "./src/sqlite-schema.ts",
  dbCredentials: { url: process.env.SQLITE_FILE ?? "app.db" },
  // Belfry makes its own tables when it starts; drizzle-kit must leave them alone.
  tablesFilter: ["!belfry_*"],
});
