import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Example } from "./read-examples.ts";

/** The file that an example is written to below `directory`: the one that it names, or one named by its place. */
export function fileOf(directory: string, { file, place }: Example): string {
  return join(directory, file ?? `${place.replaceAll(/[/.:]/g, "-")}.ts`);
}

/** Writes examples to files of their own, in the place of an earlier `directory`. */
export async function extractExamples(directory: string, examples: readonly Example[]): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  // "export {}" makes a module of a program that imports nothing.
  await Promise.all(examples.map((example) => writeFile(fileOf(directory, example), `${example.code}export {};\n`)));
}
