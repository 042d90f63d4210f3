import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Block, blocks } from "../../../tools/docs-examples/src/read-examples.ts";
import { belfry, directory } from "./setup.ts";

/** A command line of the guide, and what it says that becomes of it. */
interface Shown {
  readonly line: string;
  readonly prints: string;
  readonly exits: number;
}

const found = blocks(await readFile(new URL("../../../docs/cli.md", import.meta.url), "utf8"));
const shown = found.flatMap((block, index) => (block.words.includes("run") ? [shownBy(block, found[index + 1])] : []));

function shownBy({ code }: Block, next: Block | undefined): Shown {
  const [, exits = "0"] = /exits=(\d+)/.exec(next?.words.join(" ") ?? "") ?? [];
  return { line: code.trim(), prints: next?.words[0] === "text" ? next.code : "", exits: Number(exits) };
}

/** The arguments of a line as a shell would read it. */
function argumentsOf(line: string): string[] {
  const words = [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, bare]) => single ?? double ?? bare ?? "");
  expect(words.slice(0, 2)).toEqual(["npx", "belfry"]);
  return words.slice(2);
}

/** What a text block says, where … stands for anything, also over lines. */
function patternOf(prints: string): RegExp {
  const parts = prints.split("…").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[\\s\\S]*?")}$`);
}

let cwd: string;
let remove: () => Promise<void>;
beforeAll(async () => {
  ({ path: cwd, remove } = await directory());
});
afterAll(() => remove());

test("the guide shows commands", () => {
  expect(shown.length).toBeGreaterThan(5);
});

// One after another, in one directory: each finds what those before it did.
test.each(shown)("$line", async ({ line, prints, exits }) => {
  const { code, stdout, stderr } = await belfry(argumentsOf(line), { cwd, env: { DATABASE_URL: "sqlite:app.db" } });
  expect(stdout + (exits === 0 ? "" : stderr)).toMatch(patternOf(prints));
  expect(code).toBe(exits);
});
