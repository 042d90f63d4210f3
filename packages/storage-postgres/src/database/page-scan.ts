/**
 * Pages are scanned with one of these as a literal LIMIT, beside the exact one as a parameter. A plan that PostgreSQL
 * keeps for all parameters takes a LIMIT it does not know for a tenth of the table and may sort a whole inbox; a plan
 * for each set of parameters costs as much as the page itself.
 */
const SCAN_LIMITS = [32, 128, 1_024] as const;

/** The LIMIT of the scan behind a page of `limit` items. */
export type ScanLimit = (typeof SCAN_LIMITS)[number] | "ALL";

/** The smallest scan that holds a page of `limit` items. */
export function scanLimit(limit: number): ScanLimit {
  return SCAN_LIMITS.find((scan) => limit <= scan) ?? "ALL";
}
