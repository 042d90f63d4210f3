/** Does an operation `count` times, one after another. Every side is awaited, as code over either database would be. */
export async function each(count: number, one: () => unknown): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await one();
  }
}

/** Does operations in groups of `size` that are in flight together; `together` gets how many. */
export async function eachGroup(count: number, size: number, together: (size: number) => unknown): Promise<void> {
  for (let left = count; left > 0; left -= size) {
    await together(Math.min(size, left));
  }
}
