import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Example } from "./read-examples.ts";

/** Where components stand: apart from programs, one of which declares the types of a host for all beside it. */
export const COMPONENTS = "components";

/** The file that an example is written to below `directory`: the one that it names, or one named by its place. */
export function fileOf(directory: string, { file, hasJsx, place }: Example): string {
  const name = place.replaceAll(/[/.:]/g, "-");
  return hasJsx ? join(directory, COMPONENTS, `${name}.tsx`) : join(directory, file ?? `${name}.ts`);
}

/** Writes examples to files of their own, in the place of an earlier `directory`. */
export async function extractExamples(directory: string, examples: readonly Example[]): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(join(directory, COMPONENTS), { recursive: true });
  await writeFile(join(directory, COMPONENTS, "styles.d.ts"), 'declare module "*.css";\n');
  // "export {}" makes a module of a program that imports nothing.
  await Promise.all(examples.map((example) => writeFile(fileOf(directory, example), `${example.code}export {};\n`)));
}
