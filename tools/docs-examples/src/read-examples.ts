import { readFile } from "node:fs/promises";

/** A program in a document: one code block, or several that continue each other. */
export interface Example {
  /** The line where it starts, for example `docs/guides/types.md:5`. */
  readonly place: string;
  readonly code: string;
  /** Whether it has JSX: a component, whose types are checked. */
  readonly hasJsx: boolean;
  /** The name of its file, by which other examples import it; null if it has none. */
  readonly file: string | null;
  /** Whether the test also runs it, besides checking its types. */
  readonly runs: boolean;
  /** Its expected output, from a `text` block right after it; null if there is none. */
  readonly prints: string | null;
}

/** A code block of a document. */
export interface Block {
  readonly line: number;
  /** The words after the fence: `ts`, `run`, `continued`, `file=…`; `json` and the schema that it fits. */
  readonly words: readonly string[];
  readonly code: string;
}

const NAMED = "file=";

/**
 * Reads the TypeScript programs of a Markdown document.
 *
 * A `ts` block is a program of its own. `ts continued` continues the block before. `ts run` is also run, and a `text`
 * block after it has the expected output. `ts file=name.ts` is a module that others of the document import. A `tsx` block is
 * a component, or a part of one; `tsx file=…` is a file of an example, which has a test of its own.
 */
export async function readExamples(root: string, document: string): Promise<Example[]> {
  const examples: Example[] = [];
  let previous: Block | null = null;
  for (const block of blocks(await readFile(`${root}/${document}`, "utf8"))) {
    const last = examples.at(-1);
    if (block.words.includes("continued") && last) {
      examples[examples.length - 1] = { ...last, code: last.code + block.code };
    } else if (block.words[0] === "ts" || isComponent(block)) {
      const file = block.words.find((word) => word.startsWith(NAMED))?.slice(NAMED.length) ?? null;
      const { code, line, words } = block;
      examples.push({ place: `${document}:${line}`, code, hasJsx: isComponent(block), file, runs: words.includes("run"), prints: null });
    } else if (block.words[0] === "text" && last && previous?.words.includes("run")) {
      examples[examples.length - 1] = { ...last, prints: block.code };
    }
    previous = block;
  }
  return examples;
}

function isComponent({ words }: Block): boolean {
  return words[0] === "tsx" && words.length === 1;
}

/** Reads the code blocks of a Markdown text. */
export function blocks(markdown: string): Block[] {
  const found: Block[] = [];
  let open: { line: number; words: readonly string[]; code: string } | null = null;
  for (const [index, text] of markdown.split("\n").entries()) {
    const fence = /^```(.*)$/.exec(text);
    if (fence && open) {
      found.push(open);
      open = null;
    } else if (fence) {
      open = { line: index + 1, words: (fence[1] ?? "").trim().split(/\s+/), code: "" };
    } else if (open) {
      open.code += `${text}\n`;
    }
  }
  return found;
}
