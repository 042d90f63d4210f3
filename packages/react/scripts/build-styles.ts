// Bundles the styles into the one file that hosts load: dist/styles.css.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundledStyles } from "./bundled-styles.ts";

await writeFile(join(import.meta.dirname, "../dist/styles.css"), await bundledStyles());
