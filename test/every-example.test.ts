import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";

const root = new URL("..", import.meta.url);
const read = (file: string) => readFile(new URL(file, root), "utf8");
const examples = (await readdir(new URL("examples", root))).sort();

/** The complete host, which the whole workspace starts. */
const HOST = "server";

test.each(examples)("the example %s says with which one command it starts", async (example) => {
  const [readme, manifest] = await Promise.all([read(`examples/${example}/README.md`), read(`examples/${example}/package.json`)]);
  const filter = example === HOST ? "" : `--filter @belfry/example-${example} `;
  expect(readme).toMatch(new RegExp(`^(npx -y pnpm@[\\d.]+|pnpm) ${filter}start$`, "m"));
  const { scripts } = JSON.parse(example === HOST ? await read("package.json") : manifest) as {
    readonly scripts: { readonly start?: string };
  };
  expect(scripts.start).toBeDefined();
});

test("README lists every example", async () => {
  const readme = await read("README.md");
  expect(examples.filter((example) => !readme.includes(`[\`${example}\`](examples/${example}/README.md)`))).toEqual([]);
});
