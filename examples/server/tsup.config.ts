import { defineConfig } from "tsup";

export default defineConfig({
  entry: { main: "src/main.ts", move: "src/tenants/move.ts" },
  format: ["esm"],
  target: "es2024",
  clean: true,
  removeNodeProtocol: false,
});
