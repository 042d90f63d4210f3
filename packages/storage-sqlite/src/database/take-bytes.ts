/** The first of `rows`, up to and including the one that makes them `bytes` long together. The rows after it are not read. */
export function takeBytes<Row>(
  rows: Iterable<Row>,
  { bytes, of }: { readonly bytes: number; readonly of: (row: Row) => number },
): readonly Row[] {
  const taken: Row[] = [];
  let size = 0;
  for (const row of rows) {
    taken.push(row);
    size += of(row);
    if (size >= bytes) {
      break;
    }
  }
  return taken;
}
