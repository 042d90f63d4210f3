/** Compares texts as databases with bytewise collation do. JavaScript's own order differs above U+FFFF. */
export function compareBytewise(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) {
      return codeUnitRank(a) - codeUnitRank(b);
    }
  }
  return left.length - right.length;
}

/** The rank of a code unit. Surrogates encode code points above every other code unit, so they sort after U+E000 to U+FFFF. */
function codeUnitRank(unit: number): number {
  if (unit >= 0xe000) {
    return unit - 0x800;
  }
  return unit >= 0xd800 ? unit + 0x2000 : unit;
}
