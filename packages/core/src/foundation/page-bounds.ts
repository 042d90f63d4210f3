/** The limits of one page of a read. A page that reaches either bound ends there; it always has one row, if there is any. */
export interface PageBounds {
  /** The most rows. */
  readonly limit: number;
  /** After how many bytes of text and data the page ends: the row that reaches them is its last. An approximate measure. */
  readonly bytes: number;
}

/** A page of what somebody missed. By bytes as well as by count, because 200 rows may be 20 KB or 200 MB. */
export const CATCH_UP_PAGE: PageBounds = { limit: 200, bytes: 256 * 1024 };
