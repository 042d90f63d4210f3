import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";

const root = new URL("..", import.meta.url);
const read = (file: string) => readFile(new URL(file, root), "utf8");

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const manifest = async (folder: string) => JSON.parse(await read(`${folder}/package.json`)) as Manifest;

const folders = (await readdir(new URL("packages", root))).sort();
const packages = await Promise.all(folders.map(async (folder) => ({ folder, ...(await manifest(`packages/${folder}`)) })));
const published = packages.filter((one) => one.private !== true);

test("every package is type-checked with the others", async () => {
  const { references } = JSON.parse(await read("tsconfig.json")) as { readonly references: readonly { readonly path: string }[] };
  const paths = references.map(({ path }) => path);
  expect(packages.map(({ folder }) => `packages/${folder}`).filter((path) => !paths.includes(path))).toEqual([]);
});

test("README lists every package that is published", async () => {
  const readme = await read("README.md");
  expect(published.filter(({ folder, name }) => !readme.includes(`[\`${name}\`](packages/${folder}/README.md)`))).toEqual([]);
});

test("every package that is published has a size limit, but for the testkit", async () => {
  const limits = await read(".size-limit.json");
  const unlimited = published.filter(({ folder }) => !limits.includes(`"packages/${folder}/dist/*.js"`));
  expect(unlimited.map(({ folder }) => folder)).toEqual(["testkit"]);
});

test.each(["tools/consumer", "tools/docs-examples"])("%s has every package that is published", async (folder) => {
  const { devDependencies = {} } = await manifest(folder);
  expect(published.map(({ name }) => name).filter((name) => !(name in devDependencies))).toEqual([]);
});

test("the consumer of the packed packages imports every one", async () => {
  const consumer = await read("tools/consumer/src/consumer.ts");
  expect(published.map(({ name }) => name).filter((name) => !new RegExp(`from "${name}["/]`).test(consumer))).toEqual([]);
});
