// Writes the pages of the site that are made from something else, below docs/reference: the routes of each contract, from its
// OpenAPI document, and the reference, from the comments of what the packages export.
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeReference } from "../src/reference.ts";
import { type OpenApi, routesPage } from "../src/routes-page.ts";

const root = join(import.meta.dirname, "../../..");
const reference = join(root, "docs/reference");

await rm(reference, { recursive: true, force: true });
await writeRoutes();
await writeReference(root, join(reference, "api"));

async function writeRoutes(): Promise<void> {
  const openapi = join(root, "docs/openapi");
  const folder = join(reference, "routes");
  await mkdir(folder, { recursive: true });
  for (const file of await readdir(openapi)) {
    const contract = file.replace(/\.json$/, "");
    const document = JSON.parse(await readFile(join(openapi, file), "utf8")) as OpenApi;
    await writeFile(join(folder, `${contract}.md`), routesPage(contract, document));
  }
}
