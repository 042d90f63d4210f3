import type { EndedRecord, HubEvent, ProcessingRecord, SourceRecord } from "../hub/index.ts";
import type { LostLease } from "../work/lease-storage.ts";

/** A processing record as the memory storage keeps it. */
export class MemoryRecord {
  readonly source: string;
  fence = 0;
  leaseOwner: string | null = null;
  leaseUntilMs = 0;
  dueMs: number;
  #record: ProcessingRecord;

  constructor(record: ProcessingRecord, event: HubEvent) {
    this.#record = record;
    this.source = event.source;
    this.dueMs = record.createdAt.getTime();
  }

  view(): ProcessingRecord {
    return this.#record;
  }

  settled(): SourceRecord {
    return { ...this.#record, source: this.source };
  }

  get isOpen(): boolean {
    return this.#record.status === "PENDING" || this.#record.status === "PROCESSING";
  }

  isDue(atMs: number): boolean {
    return this.#record.status === "PENDING" && this.dueMs <= atMs;
  }

  /** When something happens to it: its lease runs out, or it is due. */
  get nextMs(): number {
    return this.leaseOwner === null ? this.dueMs : this.leaseUntilMs;
  }

  claim(owner: string, untilMs: number): void {
    this.leaseOwner = owner;
    this.leaseUntilMs = untilMs;
    this.fence += 1;
    this.#record = { ...this.#record, status: "PROCESSING", attempt: this.#record.attempt + 1 };
  }

  isHeld(owner: string, fence: number): boolean {
    return this.leaseOwner === owner && this.fence === fence;
  }

  end(ended: Omit<EndedRecord, "id" | "fence" | "lostAt">, atMs: number): void {
    const { status, result, error, inputTokens, outputTokens, dueInMs } = ended;
    this.leaseOwner = null;
    this.dueMs = atMs + (dueInMs ?? 0);
    this.#record = {
      ...this.#record,
      status,
      result,
      error: status === "PENDING" ? (error ?? this.#record.error) : error,
      inputTokens,
      outputTokens,
      completedAt: status === "PENDING" ? null : new Date(atMs),
    };
  }

  /** Its lease, as that of a lost worker. */
  lease(): LostLease {
    const { id, attempt } = this.#record;
    return { id, fence: this.fence, owner: this.leaseOwner ?? "", until: new Date(this.leaseUntilMs), attempt };
  }

  /** Prolongs its lease; false if that is not held any more. */
  renew({ owner, fence }: { readonly owner: string; readonly fence: number }, untilMs: number): boolean {
    if (!this.isHeld(owner, fence)) {
      return false;
    }
    this.leaseUntilMs = untilMs;
    return true;
  }
}
