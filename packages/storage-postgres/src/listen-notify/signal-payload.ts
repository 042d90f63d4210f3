import type { InboxChange } from "@belfry/core";
import { type HubSignal, type InboxSignal, isHubSignal, type PresenceSignal, type Signal } from "@belfry/core/storage";

/** PostgreSQL refuses payloads of 8,000 bytes and more. */
const MAX_BYTES = 7_999;

/** More than this at once, and it costs everybody less to look at the database. */
const MAX_PAYLOADS = 50;

/** The content of a payload: signals, or the advice to look at the database. */
export interface SignalPayload {
  /** The transport that sent it; empty if PostgreSQL sent it on commit of a host's transaction. */
  readonly sender: string;
  readonly signals: readonly Signal[] | "gap";
}

type PackedHub = readonly [change: string, tenant: string, source: string, id: string];
type PackedPresence = readonly [code: typeof PRESENCE_CODE, instance: string];
type PackedInbox = readonly [
  change: string,
  tenant: string,
  userId: string,
  seq: number,
  epoch: string,
  id?: string | null,
  count?: number,
];

const CODES: Readonly<Record<InboxChange, string>> = { created: "c", read: "r", deleted: "d", read_all: "R", deleted_read: "D" };
const CHANGES = new Map(Object.entries(CODES).map(([change, code]) => [code, change as InboxChange]));
const HUB_CODES: Readonly<Record<HubSignal["change"], string>> = { event: "he", settled: "hs" };
const HUB_CHANGES = new Map(Object.entries(HUB_CODES).map(([change, code]) => [code, change as HubSignal["change"]]));
const PRESENCE_CODE = "p";

/**
 * Packs signals into as few payloads as fit, in their order. What only the sender's process has (`notification`, `item`,
 * `event`, `record`) is left out.
 */
export function packSignals({ sender, signals }: SignalPayload): readonly string[] {
  const gap = JSON.stringify([sender]);
  if (signals === "gap") {
    return [gap];
  }
  const payloads: string[] = [];
  const start = `[${JSON.stringify(sender)}`;
  let open = start;
  let bytes = Buffer.byteLength(start);
  for (const signal of signals) {
    const packed = `,${JSON.stringify(pack(signal))}`;
    const size = Buffer.byteLength(packed);
    if (bytes + size + 1 > MAX_BYTES) {
      payloads.push(`${open}]`);
      open = start;
      bytes = Buffer.byteLength(start);
    }
    open += packed;
    bytes += size;
  }
  payloads.push(`${open}]`);
  return payloads.length > MAX_PAYLOADS ? [gap] : payloads;
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

function pack(signal: Signal): PackedHub | PackedInbox | PackedPresence {
  if (isHubSignal(signal)) {
    return [HUB_CODES[signal.change], signal.tenant, signal.source, signal.id];
  }
  return "topic" in signal ? [PRESENCE_CODE, signal.instance] : packInbox(signal);
}

function packInbox({ change, tenant, userId, seq, epoch, id, count }: InboxSignal): PackedInbox {
  const start = [CODES[change], tenant, userId, seq, epoch] as const;
  if (count !== undefined) {
    return [...start, id ?? null, count];
  }
  return id === undefined ? start : [...start, id];
}

/** The signal in a part of a payload; none for what a newer version may have to say. */
function unpack(packed: unknown): readonly Signal[] {
  if (isPackedInbox(packed)) {
    return [unpackInbox(packed)];
  }
  if (isPackedHub(packed)) {
    return [unpackHub(packed)];
  }
  return isPackedPresence(packed) ? [{ topic: "presence", instance: packed[1] } satisfies PresenceSignal] : [];
}

function unpackHub([code, tenant, source, id]: PackedHub): HubSignal {
  return { topic: "hub", tenant, source, change: HUB_CHANGES.get(code) ?? "event", id };
}

function unpackInbox([code, tenant, userId, seq, epoch, id, count]: PackedInbox): InboxSignal {
  return {
    tenant,
    userId,
    change: CHANGES.get(code) ?? "created",
    seq,
    epoch,
    ...(typeof id === "string" ? { id } : {}),
    ...(count === undefined ? {} : { count }),
  };
}

function isPackedHub(value: unknown): value is PackedHub {
  return Array.isArray(value) && HUB_CHANGES.has(value[0]) && [value[1], value[2], value[3]].every((text) => typeof text === "string");
}

function isPackedPresence(value: unknown): value is PackedPresence {
  return Array.isArray(value) && value[0] === PRESENCE_CODE && typeof value[1] === "string";
}

function isPackedInbox(value: unknown): value is PackedInbox {
  return (
    Array.isArray(value) &&
    CHANGES.has(value[0]) &&
    typeof value[1] === "string" &&
    typeof value[2] === "string" &&
    typeof value[3] === "number" &&
    typeof value[4] === "string"
  );
}
