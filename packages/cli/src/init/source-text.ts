/** A type annotation of a text, between `<` and `>`, colon included. */
const ANNOTATION = /<(: (?:[^<>]|<[^<>]*>)+)>/g;
/** A line that imports types alone. */
const TYPE_IMPORT = /^import type .*\n/gm;

/** Keeps the types of a text, or takes them away. */
export function typed(text: string, isTyped: boolean): string {
  return isTyped ? text.replaceAll(ANNOTATION, "$1") : text.replaceAll(ANNOTATION, "").replaceAll(TYPE_IMPORT, "");
}

/** Turns the imports and exports of a text into those of CommonJS. */
export function inCommonJs(text: string): string {
  const names: string[] = [];
  const body = text
    .replaceAll(/^import \{ (.+) \} from (".+");$/gm, "const { $1 } = require($2);")
    .replaceAll(/^export \{ (.+) \} from (".+");$/gm, (_, list: string, source: string) => {
      names.push(list);
      return `const { ${list} } = require(${source});`;
    })
    .replaceAll(/^export (const|async function|function) (\w+)/gm, (_, kind: string, name: string) => {
      names.push(name);
      return `${kind} ${name}`;
    });
  return names.length === 0 ? body : `${body}\nmodule.exports = { ${names.join(", ")} };\n`;
}
