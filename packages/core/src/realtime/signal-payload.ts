import type { HubSignal } from "../hub/index.ts";
import type { InboxChange, InboxSignal } from "../inbox/index.ts";
import { isHubSignal, type Signal, type Work } from "./transport.ts";

/** So many signals usually fit into one payload. */
const FEW = 100;

/** With more payloads than this at once, it costs everybody less to look at the database. */
const MAX_PAYLOADS = 50;

/** The content of a payload: signals, or the advice to look at the database. */
export interface SignalPayload {
  /** The transport that sent it; empty if a database sent it on commit of a host's transaction. */
  readonly sender: string;
  readonly signals: readonly Signal[] | "gap";
}

const CODES: Readonly<Record<InboxChange, string>> = {
  ...{
    created: "c",
    read: "r",
    deleted: "d",
    read_all: "R",
    deleted_read: "D",
    read_matching: "mr",
    seen_matching: "ms",
    archived_matching: "ma",
  },
  ...{
    unread: "u",
    updated: "e",
    seen: "s",
    unseen: "n",
    seen_all: "S",
    archived: "a",
    unarchived: "b",
    pinned: "i",
    unpinned: "o",
    snoozed: "z",
    woken: "w",
  },
};
const CHANGES: ReadonlyMap<unknown, InboxChange> = new Map(Object.entries(CODES).map(([change, code]) => [code, change as InboxChange]));
const HUB_CODES: Readonly<Record<HubSignal["change"], string>> = { event: "he", settled: "hs" };
const HUB_CHANGES: ReadonlyMap<unknown, HubSignal["change"]> = new Map(
  Object.entries(HUB_CODES).map(([change, code]) => [code, change as HubSignal["change"]]),
);
const PRESENCE_CODE = "p";
const BROADCAST_CODE = "bc";
/** Signals that are nothing but their topic. */
const TOPIC_CODES = { inboxes: "l", pauses: "pa", rests: "re" } as const;
type BareTopic = keyof typeof TOPIC_CODES;
const TOPICS: ReadonlyMap<unknown, BareTopic> = new Map(Object.entries(TOPIC_CODES).map(([topic, code]) => [code, topic as BareTopic]));
const WORK_CODES: Readonly<Record<Work, string>> = { deliveries: "wd", digests: "wg", records: "wr" };
const WORKS: ReadonlyMap<unknown, Work> = new Map(Object.entries(WORK_CODES).map(([work, code]) => [code, work as Work]));

const encoder = new TextEncoder();

/** The bytes of a text in UTF-8. */
function bytesOf(text: string): number {
  return encoder.encode(text).length;
}

/** Whether a text has no more bytes than that. Each of its characters has three at the most. */
function fits(text: string, maxBytes: number): boolean {
  return text.length * 3 <= maxBytes || bytesOf(text) <= maxBytes;
}

/**
 * Packs signals into as few payloads as fit, in their order; into one that sends everybody to the database if they are too many.
 * Leaves out members that only the sender's process has (`notification`, `item`, `event`, `record`).
 *
 * @param maxBytes the most bytes of a payload
 */
export function packSignals({ sender, signals }: SignalPayload, maxBytes: number): readonly string[] {
  const gap = JSON.stringify([sender]);
  if (signals === "gap") {
    return [gap];
  }
  const all = signals.length > 0 && signals.length <= FEW ? JSON.stringify([sender, ...signals.map(pack)]) : null;
  if (all !== null && fits(all, maxBytes)) {
    return [all];
  }
  const payloads: string[] = [];
  const start = `[${JSON.stringify(sender)}`;
  let open = start;
  let bytes = bytesOf(start);
  for (const signal of signals) {
    if (payloads.length > MAX_PAYLOADS) {
      return [gap];
    }
    const packed = `,${JSON.stringify(pack(signal))}`;
    const size = bytesOf(packed);
    if (bytes + size + 1 > maxBytes) {
      payloads.push(`${open}]`);
      open = start;
      bytes = bytesOf(start);
    }
    open += packed;
    bytes += size;
  }
  payloads.push(`${open}]`);
  return payloads.length > MAX_PAYLOADS ? [gap] : payloads;
}

/**
 * The parts of a payload of created items of a tenant, for a statement that makes it: the text before the first signal, and that
 * before the user of each. A user, number, epoch and id follow, as JSON: see {@link packSignals}.
 */
export function partsOfCreated(sender: string, tenant: string): readonly [before: string, beforeUser: string] {
  return [`[${JSON.stringify(sender)},`, `["${CODES.created}",${JSON.stringify(tenant)},`];
}

/** Whether a payload comes from this sender: so that its own are not read. */
export function isFrom(sender: string, payload: string): boolean {
  return payload.startsWith(`[${JSON.stringify(sender)}`);
}

/** Reads a payload; null for one that is not ours. */
export function unpackSignals(payload: string): SignalPayload | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(payload);
  } catch {
    return null;
  }
  if (!Array.isArray(parsed) || typeof parsed[0] !== "string") {
    return null;
  }
  const [sender, ...packed] = parsed as [string, ...unknown[]];
  if (packed.length === 0) {
    return { sender, signals: "gap" };
  }
  return { sender, signals: packed.flatMap(unpack) };
}

/** A signal as a list: its code and its members, without missing ones at the end. */
function pack(signal: Signal): readonly unknown[] {
  if (isHubSignal(signal)) {
    return [HUB_CODES[signal.change], signal.tenant, signal.source, signal.id];
  }
  if ("topic" in signal) {
    return packForAll(signal);
  }
  const { change, tenant, userId, seq, epoch, id, count, rev, lastSeq, of, atMs, revs, counts } = signal;
  const start = [CODES[change], tenant, userId, seq, epoch];
  if (rev !== undefined) {
    const more = withoutEnd([atMs, revs, counts?.total, counts?.unread, counts?.unseen]);
    return [...start, id ?? null, count ?? null, rev, lastSeq, of, ...more];
  }
  if (count !== undefined) {
    return [...start, id ?? null, count];
  }
  return id === undefined ? start : [...start, id];
}

/** A signal that concerns every process, as {@link pack} has it. */
function packForAll(signal: Exclude<Signal, InboxSignal | HubSignal>): readonly unknown[] {
  switch (signal.topic) {
    case "broadcast":
      return [BROADCAST_CODE, signal.tenant];
    case "presence":
      return [PRESENCE_CODE, signal.instance];
    case "work":
      return [WORK_CODES[signal.work]];
    default:
      return [TOPIC_CODES[signal.topic]];
  }
}

/** The last members of a signal, without missing ones at the end. */
function withoutEnd(members: readonly (number | undefined)[]): readonly (number | null)[] {
  const end = members.findLastIndex((member) => member !== undefined) + 1;
  return members.slice(0, end).map((member) => member ?? null);
}

/** The signal in a part of a payload; none for a signal of a newer version. */
function unpack(packed: unknown): readonly Signal[] {
  const [code, ...values]: readonly unknown[] = Array.isArray(packed) ? packed : [];
  const change = CHANGES.get(code);
  if (change !== undefined && isLike(values, ["", "", 0, ""])) {
    const [tenant, userId, seq, epoch, id, count, rev, lastSeq, of, atMs, revs, ...counts] = values;
    const more = { ...(typeof id === "string" ? { id } : {}), ...numbersIn({ count, rev, lastSeq, of, atMs, revs }) };
    return [{ tenant, userId, change, seq, epoch, ...more, ...countsIn(counts) }];
  }
  const hubChange = HUB_CHANGES.get(code);
  if (hubChange !== undefined && isLike(values, ["", "", ""])) {
    const [tenant, source, id] = values;
    return [{ topic: "hub", tenant, source, change: hubChange, id }];
  }
  return unpackForAll(code, values);
}

function unpackForAll(code: unknown, values: readonly unknown[]): readonly Signal[] {
  const work = WORKS.get(code);
  if (work !== undefined) {
    return [{ topic: "work", work }];
  }
  const topic = TOPICS.get(code);
  if (topic !== undefined) {
    return [{ topic }];
  }
  if (code === BROADCAST_CODE && isLike(values, [""])) {
    return [{ topic: "broadcast", tenant: values[0] }];
  }
  return code === PRESENCE_CODE && isLike(values, [""]) ? [{ topic: "presence", instance: values[0] }] : [];
}

/** The counts of a signal; none in one of an older version. */
function countsIn(values: readonly unknown[]): Pick<InboxSignal, "counts"> {
  if (!isLike(values, [0, 0, 0])) {
    return {};
  }
  const [total, unread, unseen] = values;
  return { counts: { total, unread, unseen } };
}

/** The members that are numbers. */
function numbersIn<Name extends string>(members: Readonly<Record<Name, unknown>>): Readonly<Partial<Record<Name, number>>> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => typeof value === "number")) as Partial<Record<Name, number>>;
}

/** Whether values begin with the types of a sample. */
function isLike<Sample extends readonly (string | number)[]>(
  values: readonly unknown[],
  sample: readonly [...Sample],
): values is readonly [...{ [Index in keyof Sample]: Sample[Index] extends string ? string : number }, ...unknown[]] {
  return sample.every((one, index) => typeof values[index] === typeof one);
}
