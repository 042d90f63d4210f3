import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

export default defineConfig({
  root: "page",
  build: { outDir: "../dist", emptyOutDir: true },
  // Vue looks for no component of this name, and sets properties and listeners on the element.
  plugins: [vue({ template: { compilerOptions: { isCustomElement: (tag) => tag === "belfry-inbox" } } })],
});
