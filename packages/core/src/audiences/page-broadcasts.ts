import type { DirectoryPage } from "../delivery/index.ts";
import { compareBytewise } from "../foundation/compare-bytewise.ts";
import { describe, NAME_RULE, shown, textIssue } from "../foundation/parse-text.ts";
import { type Cancellation, withinTime } from "../work/timing.ts";
import type { BroadcastPage, PagedBroadcast } from "./broadcast-storage.ts";
import type { BroadcastContext } from "./place-broadcasts.ts";

/** How long the host may take for a page. */
const PAGE_MS = 10_000;
/** How long a page is left to whoever took it up; one that could not be read is read again after it. */
const TAKEN_MS = 15_000;
const MAX_USERS = 10_000;
const MAX_CURSOR = 1_000;
/** Of how many broadcasts cursors are followed at once. */
const MAX_FOLLOWED = 100;

type PagingContext = Pick<BroadcastContext, "broadcasts" | "clock" | "directory" | "lines">;

/**
 * Reads the next page of the host's users for the oldest broadcast that goes over other channels than the inbox, and hands them to the
 * fan-out. Nothing is held in memory but this page. `circles` are those of the pages that this process read before. Returns false if there is none, or the service cannot ask for any.
 */
export async function readNextPage(context: PagingContext, circles: CursorCircles, stopping: Cancellation): Promise<boolean> {
  const { broadcasts, clock, directory, lines } = context;
  if (directory?.everyone === undefined) {
    await warnOfWaiting(context);
    return false;
  }
  const at = clock.now();
  const taken = await broadcasts.takePage(new Date(at), new Date(at + TAKEN_MS));
  if (taken === null) {
    return false;
  }
  let page: BroadcastPage | null = null;
  try {
    page = taken.isExpired ? { users: [], next: null } : await pageOf(context, taken, stopping);
    circles.follow(taken.id, page.next);
  } catch (err) {
    if (stopping.aborted) {
      await broadcasts.addPage(taken, null);
    } else {
      const { tenant, id: notificationId } = taken;
      lines.warn({ err, tenant, notificationId }, "A page of the host's users could not be read. It is asked for again in some seconds.");
    }
    return !stopping.aborted;
  }
  await broadcasts.addPage(taken, page);
  return true;
}

/**
 * Finds out that a directory's cursors lead back to where they were, so that its pages would never end. It keeps one cursor of each broadcast, and
 * takes a later one in its place after 1, 2, 4, 8, … pages: a circle of any length meets it (Brent's algorithm). Another process, or a restart, begins
 * anew, and so does this one after it found a circle: the host may have mended it.
 */
export class CursorCircles {
  readonly #kept = new Map<string, { readonly cursor: string | null; readonly pages: number; left: number }>();

  /** Notes where a page leads. @throws Error if it leads back */
  follow(broadcastId: string, next: string | null): void {
    const kept = this.#kept.get(broadcastId) ?? { cursor: null, pages: 1, left: 1 };
    if (next === null) {
      this.#kept.delete(broadcastId);
      return;
    }
    if (next === kept.cursor) {
      this.#kept.delete(broadcastId);
      throw wrong(`has as next the cursor of a page that did not come yet, got one that led on before: ${shown(next)}`);
    }
    kept.left -= 1;
    this.#kept.delete(broadcastId);
    this.#kept.set(broadcastId, kept.left > 0 ? kept : { cursor: next, pages: kept.pages * 2, left: kept.pages * 2 });
    const [oldest = ""] = this.#kept.size > MAX_FOLLOWED ? this.#kept.keys() : [];
    this.#kept.delete(oldest);
  }
}

/** Says that a broadcast waits for another process to read its users, if none has for a while. */
async function warnOfWaiting({ broadcasts, clock, lines }: PagingContext): Promise<void> {
  const waiting = await broadcasts.waitingPage(new Date(clock.now()));
  if (waiting !== null) {
    const { tenant, id: notificationId, since } = waiting;
    const message =
      "A broadcast cannot go on over its other channels: no process reads its users, and this one's directory has no everyone(cursor). " +
      "It goes on once a process runs whose directory has it.";
    lines.warn({ tenant, notificationId, since: since.toISOString() }, message);
  }
}

async function pageOf({ clock, directory }: PagingContext, taken: PagedBroadcast, cancellation: Cancellation): Promise<BroadcastPage> {
  const { tenant, cursor, except } = taken;
  const limit = { clock, timeoutMs: PAGE_MS, cancellation };
  // Directories may be written in JavaScript.
  const answer: Partial<Readonly<Record<keyof DirectoryPage, unknown>>> | undefined = await withinTime(
    async () => directory?.everyone?.(cursor, { tenant }),
    limit,
  );
  const { users, next = null } = answer ?? {};
  const left = new Set(except);
  const others = new Set(usersOf(users).filter((userId) => !left.has(userId)));
  return { users: [...others].sort(compareBytewise), next: cursorAfter(cursor, next) };
}

function usersOf(users: unknown): readonly string[] {
  if (!Array.isArray(users) || users.length > MAX_USERS) {
    throw wrong(`has as users a list of up to ${MAX_USERS} ids, got ${Array.isArray(users) ? `${users.length}` : describe(users)}`);
  }
  const stranger: unknown = users.find((userId) => textIssue(userId, [], NAME_RULE) !== null);
  if (stranger !== undefined) {
    throw wrong(`names users by texts of 1 to 255 characters, got ${shownOf(stranger)}`);
  }
  return users as readonly string[];
}

function cursorAfter(cursor: string | null, next: unknown): string | null {
  if (next === null || (typeof next === "string" && next !== "" && next.length <= MAX_CURSOR && next !== cursor)) {
    return next;
  }
  const got = next === cursor ? "that of the same page" : shownOf(next);
  throw wrong(`has as next the cursor of the page after it, a text of up to ${MAX_CURSOR} characters, or null, got ${got}`);
}

function shownOf(value: unknown): string {
  return typeof value === "string" ? shown(value) : describe(value);
}

function wrong(fact: string): Error {
  return new Error(`A page that directory.everyone(cursor) returns ${fact}.`);
}
