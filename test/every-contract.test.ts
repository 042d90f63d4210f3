import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import type { Contract } from "../packages/core/src/http/index.ts";
import { everyContract } from "../packages/testkit/src/http-suite/every-contract.ts";

const root = new URL("..", import.meta.url);
const exported: Readonly<Record<string, unknown>> = await import("../packages/core/src/contracts/index.ts");

/** The contract that an export of core makes; null for a function of another kind. */
function madeBy(value: unknown): Contract | null {
  try {
    const made: unknown = typeof value === "function" ? value() : null;
    return typeof made === "object" && made !== null && "renderFailure" in made ? (made as Contract) : null;
  } catch {
    // The helpers of authors do not work without arguments.
    return null;
  }
}

const makers = Object.entries(exported).flatMap(([maker, value]) => {
  const contract = madeBy(value);
  return contract === null ? [] : [{ maker, name: contract.name }];
});
const names = makers.map(({ name }) => name).sort();

test("the suites ask every contract", () => {
  expect(names.length).toBeGreaterThan(0);
  expect(
    everyContract()
      .map(({ name }) => name)
      .sort(),
  ).toEqual(names);
});

test.each([
  ["docs/contracts", ".md"],
  ["docs/openapi", ".json"],
])("%s has every contract, and no other", async (folder, ending) => {
  const files = await readdir(new URL(folder, root));
  expect(files.sort()).toEqual(names.map((name) => `${name}${ending}`).sort());
});

test("README, the guide and the complete host have every contract", async () => {
  const [readme, guide, host] = await Promise.all(
    ["README.md", "docs/guides/contracts.md", "examples/server/src/main.ts"].map((file) => readFile(new URL(file, root), "utf8")),
  );
  for (const { maker, name } of makers) {
    expect(readme).toContain(`(docs/contracts/${name}.md)`);
    expect(guide).toContain(`(../contracts/${name}.md)`);
    expect(host).toContain(`${maker}(`);
  }
});
