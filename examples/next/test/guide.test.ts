import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { blocks } from "../../../tools/docs-examples/src/read-examples.ts";

const GUIDE = new URL("../../../docs/guides/nextjs.md", import.meta.url);
const NAMED = "file=";

/** What the guide has in the place of this application: PostgreSQL, and imports as Next's own TypeScript finds them. */
function asInTheGuide(text: string): string {
  return text
    .replaceAll(/(from "|import\(")(\.[^"]*)\.tsx?"/g, '$1$2"')
    .replaceAll("sqliteStorage", "postgresStorage")
    .replace("@belfry/storage-sqlite", "@belfry/storage-postgres")
    .replace('process.env.DATABASE_FILE ?? "data/app.db"', 'process.env.DATABASE_URL ?? ""');
}

test("the files of the guide are those of this application", async () => {
  const shown = blocks(await readFile(GUIDE, "utf8")).flatMap(({ words, code }) =>
    words.filter((word) => word.startsWith(NAMED)).map((word) => ({ file: word.slice(NAMED.length), code })),
  );
  expect(shown.map(({ file }) => file)).toEqual([
    "server/notifications.ts",
    "server/session.ts",
    "server/belfry.ts",
    "app/api/belfry/[...path]/route.ts",
    "instrumentation.ts",
    "app/bell.tsx",
    "app/layout.tsx",
    "app/write-to.ts",
    "app/actions.ts",
    "app/page.tsx",
  ]);
  for (const { file, code } of shown) {
    expect(code).toBe(asInTheGuide(await readFile(fileURLToPath(new URL(`../${file}`, import.meta.url)), "utf8")));
  }
});
