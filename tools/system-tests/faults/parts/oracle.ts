import { wrongCounts } from "../../test/recount.ts";
import type { AttemptRow, DatabaseView, DeliveryRow } from "./database-view.ts";
import type { Ledger, LedgerLine } from "./ledger.ts";

/** The oracle's findings. A sound system has none, whatever was done to it. */
export interface Findings {
  /** Accepted notifications that are not there, have not ended, or have ended otherwise than they had to. */
  readonly lost: readonly string[];
  /** Receipts and frames of notifications that nobody asked for, and accepted ids that nobody knows. */
  readonly phantom: readonly string[];
  /** Inboxes with wrong counters or gaps, and users whose sockets got other items than their inbox has, or in another order. */
  readonly drift: readonly string[];
  /** Deliveries that have not ended. */
  readonly unsettled: readonly string[];
  /** Deliveries that were received more often than attempts were begun, or repeated without a recorded reason. */
  readonly unexplained: readonly string[];
}

/** What the oracle counted. */
export interface Verdict {
  readonly findings: Findings;
  readonly issued: number;
  readonly accepted: number;
  readonly receipts: number;
  /** Receipts beyond the first of each delivery. */
  readonly duplicates: number;
  readonly frames: number;
}

/** The end that a delivery may have, by its channel. */
export type Expected = (row: DeliveryRow) => boolean;

/** Where nothing goes wrong for good: mails are sent, webhooks delivered, and sockets were written to, or there were none. */
export const ENDED_WELL: Expected = ({ channel, status, reason }) => {
  if (channel === "inbox") {
    return status === "sent" || status === "delivered" || (status === "failed" && reason === "offline");
  }
  return status === (channel === "email" ? "sent" : "delivered");
};

/** No finding of any kind. */
export const NOTHING: Findings = { lost: [], phantom: [], drift: [], unsettled: [], unexplained: [] };

type Line<What extends LedgerLine["what"]> = Extract<LedgerLine, { readonly what: What }>;

const linesOf = <What extends LedgerLine["what"]>(lines: readonly LedgerLine[], what: What) =>
  lines.filter((line): line is Line<What> => line.what === what);

/** Compares the ledger, which was written outside of the processes under test, with the database, once everything is quiet. */
export async function judge(ledger: Ledger, database: DatabaseView, expected: Expected = ENDED_WELL): Promise<Verdict> {
  const lines = ledger.lines();
  const [issued, accepted, receipts, frames] = [
    linesOf(lines, "issued"),
    linesOf(lines, "accepted"),
    linesOf(lines, "receipt"),
    linesOf(lines, "frame"),
  ];
  const rows = await database.deliveries();
  const inboxes = await database.inboxes();
  const counts = await wrongCounts(database.query);
  return {
    findings: {
      lost: lostOf({ accepted, receipts }, rows, expected),
      phantom: phantomsOf(new Set(issued.map(({ text }) => text)), [...receipts, ...frames], rows),
      drift: [...counts.map((count) => JSON.stringify(count)), ...wrongFrames(frames, inboxes)],
      unsettled: rows.filter(({ isSettled }) => !isSettled).map(({ text, status }) => `${text} ${status}`),
      unexplained: unexplainedOf(receipts, rows, await database.attempts()),
    },
    issued: new Set(issued.map(({ text }) => text)).size,
    accepted: new Set(accepted.map(({ text }) => text)).size,
    receipts: receipts.length,
    duplicates: receipts.length - new Set(receipts.map(({ delivery }) => delivery)).size,
    frames: frames.length,
  };
}

function lostOf(
  { accepted, receipts }: { readonly accepted: readonly Line<"accepted">[]; readonly receipts: readonly Line<"receipt">[] },
  rows: readonly DeliveryRow[],
  expected: Expected,
): string[] {
  const byNotification = Map.groupBy(rows, ({ notification }) => notification);
  const taken = new Set(receipts.filter(({ isAccepted }) => isAccepted).map(({ delivery }) => delivery));
  return [...new Map(accepted.map((line) => [line.id, line])).values()].flatMap(({ id, text }) => {
    const own = byNotification.get(id) ?? [];
    const wrong = own.filter((row) => !expected(row) || (row.channel !== "inbox" && claimsSuccess(row) && !taken.has(row.delivery)));
    return own.length === 0 ? [`${text} is not there`] : wrong.map(({ channel, status }) => `${text} ended ${status} over ${channel}`);
  });
}

function claimsSuccess({ status }: DeliveryRow): boolean {
  return status === "sent" || status === "delivered";
}

function phantomsOf(issued: ReadonlySet<string>, seen: readonly { readonly text: string }[], rows: readonly DeliveryRow[]): string[] {
  const texts = [...seen, ...rows].map(({ text }) => text).filter((text) => !issued.has(text));
  const byText = Map.groupBy(rows, ({ text }) => text);
  // A text is asked for with one idempotency key, so there is one notification of it.
  const twice = [...byText].filter(([, own]) => new Set(own.map(({ notification }) => notification)).size > 1);
  return [...new Set(texts), ...twice.map(([text]) => `${text} exists twice`)];
}

/** Compares each user's frames with the inbox: the same items, in its order. A socket that connects again resumes where it was. */
function wrongFrames(frames: readonly Line<"frame">[], inboxes: ReadonlyMap<string, readonly string[]>): string[] {
  return [...Map.groupBy(frames, ({ user }) => user)].flatMap(([user, own]) => {
    const items = inboxes.get(user) ?? [];
    const got = own.map(({ seq, text }) => `${seq} ${text}`);
    const wanted = items.map((text, index) => `${index + 1} ${text}`);
    const wrong = got.findIndex((one, index) => one !== wanted[index]);
    return got.length === wanted.length && wrong === -1
      ? []
      : [`${user} got ${got.length} of ${wanted.length} items, the first wrong one is ${wrong}: ${got[wrong]} for ${wanted[wrong]}`];
  });
}

/** A repetition needs a reason: an attempt before it that failed, or of which nobody knows how it ended. */
function unexplainedOf(receipts: readonly Line<"receipt">[], rows: readonly DeliveryRow[], attempts: readonly AttemptRow[]): string[] {
  const byDelivery = Map.groupBy(attempts, ({ delivery }) => delivery);
  const received = Map.groupBy(receipts, ({ delivery }) => delivery);
  return rows.flatMap(({ text, delivery, attempt }) => {
    const count = received.get(delivery)?.length ?? 0;
    const recorded = byDelivery.get(delivery) ?? [];
    const reasons = recorded.filter(({ status }) => status === "unknown" || status === "failed").length;
    const isExplained = count <= attempt && count <= reasons + 1;
    return isExplained ? [] : [`${text} was received ${count} times in ${attempt} attempts, ${reasons} of them with a reason to repeat it`];
  });
}
