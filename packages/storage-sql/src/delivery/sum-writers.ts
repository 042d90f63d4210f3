/** Who wrote a sum that was folded. */
export const FOLDED = -1;

/** Who wrote a sum of attempts whose worker was lost, once it was folded. */
export const FOLDED_LOST = -2;

/**
 * Writers from this number on have sums of attempts whose worker was lost: it is added to the number of the writer. Their latency step is that of failures,
 * as versions that do not tell them apart count what they read, whoever wrote it. It is greater than the number of any process.
 */
export const LOST_WRITERS = 2 ** 30;

/** Whether a sum is one of attempts whose worker was lost, in SQL. */
export function isOfLost(writer: string): string {
  return `(${writer} >= ${LOST_WRITERS} OR ${writer} = ${FOLDED_LOST})`;
}
