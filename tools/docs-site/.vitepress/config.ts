import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitepress";
import { repositoryLinks } from "../src/repository-links.ts";
import { navigation, sidebar } from "../src/sidebar.ts";

const docs = join(import.meta.dirname, "../../../docs");

/** What stands in a page's own words is found; of the generated pages, the headings are enough. */
const GENERATED = /^reference\//;

export default defineConfig({
  title: "Belfry",
  description: "Notifications inside your own application: inbox, realtime, delivery over channels, in your process and your database.",
  lang: "en",
  srcDir: "../../docs",
  lastUpdated: false,
  markdown: {
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    config: (markdown) => void markdown.use(repositoryLinks, docs),
  },
  // The pages are outside of this package, where nothing else is found.
  vite: { resolve: { alias: { vue: dirname(fileURLToPath(import.meta.resolve("vue/package.json"))) } } },
  themeConfig: {
    nav: navigation,
    sidebar: sidebar(docs),
    outline: [2, 3],
    search: {
      provider: "local",
      options: {
        _render(source, env, markdown) {
          const html = markdown.render(source, env);
          return GENERATED.test(env.relativePath) ? (html.match(/<h[1-3][\s\S]*?<\/h[1-3]>/g) ?? []).join("") : html;
        },
      },
    },
    socialLinks: [{ icon: "github", link: "https://github.com/belfry/belfry" }],
    footer: { message: "MIT licence" },
  },
});
