import { globSync } from "node:fs";
import { basename } from "node:path";
import { packageBuild } from "../../tsup.base.ts";

const languages = globSync("src/texts/locales/*.ts", { cwd: import.meta.dirname }).map((file) => basename(file, ".ts"));
const locales = Object.fromEntries(languages.map((language) => [`locales/${language}`, `src/texts/locales/${language}.ts`]));

export default packageBuild(
  { index: "src/index.ts", ...locales },
  // The preference panel and the languages stay files of their own, which are loaded when they are needed.
  {
    ...{ splitting: true, shims: false, target: "es2022" },
    // What it shares with the client, and the client does not export, becomes its own.
    noExternal: [/^@belfry\/client\/inside\//],
    esbuildOptions(options) {
      options.conditions = ["@belfry/source"];
    },
  },
);
