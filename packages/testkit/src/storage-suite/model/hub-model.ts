import type { Handler, HubEvent, ProcessingRecord, SourceRecord } from "@belfry/core";
import type { EndedRecord, NewProcessingRecord } from "@belfry/core/storage";

/** How many attempts a record has before a lost worker is its end. */
export const MAX_RECORD_ATTEMPTS = 3;
/** The error of a record whose last worker was lost. */
export const LOST_ERROR = "The worker was lost.";

/** One record of the model. */
export type ModelRecord = { -readonly [Field in keyof SourceRecord]: SourceRecord[Field] } & {
  readonly event: HubEvent;
  fence: number;
  owner: string | null;
  untilMs: number;
  dueMs: number;
};

/** Handlers, events and records as plain lists: slow, and plainly right. */
export class HubModel {
  /** Oldest first. */
  readonly handlers: Handler[] = [];
  readonly events: HubEvent[] = [];
  readonly records: ModelRecord[] = [];

  handlersOf(tenant: string, source: string): readonly Handler[] {
    return this.handlers.filter((handler) => handler.tenant === tenant && handler.source === source);
  }

  add(event: HubEvent, records: readonly NewProcessingRecord[]): void {
    this.events.push(event);
    for (const { id, handlerId, prompt } of records) {
      this.records.push({
        ...{ id, handlerId, prompt, event, tenant: event.tenant, notificationId: event.id, source: event.source },
        ...{ status: "PENDING", result: null, error: null, attempt: 0, inputTokens: null, outputTokens: null },
        ...{ createdAt: event.receivedAt, completedAt: null, fence: 0, owner: null, untilMs: 0, dueMs: event.receivedAt.getTime() },
      });
    }
  }

  recordsOf(event: HubEvent): readonly ProcessingRecord[] {
    return this.records.filter((record) => record.event === event).map(recordOf);
  }

  find(id: string): ModelRecord | undefined {
    return this.records.find((record) => record.id === id);
  }

  /** Claiming: the attempt and the fence count before anything is processed. */
  lease(record: ModelRecord, owner: string, untilMs: number): void {
    Object.assign(record, { status: "PROCESSING", owner, untilMs, attempt: record.attempt + 1, fence: record.fence + 1 });
  }

  /** Ends an attempt of somebody who still holds the lease; null if that is over. */
  end(owner: string, { id, fence, dueInMs, lostAt: _, claimed: __, ...outcome }: EndedRecord, now: Date): SourceRecord | null {
    const record = this.find(id);
    if (record?.owner !== owner || record.fence !== fence) {
      return null;
    }
    const isOver = outcome.status !== "PENDING";
    Object.assign(record, { ...outcome, owner: null, completedAt: isOver ? now : null, dueMs: now.getTime() + (dueInMs ?? 0) });
    return sourceRecordOf(record);
  }

  /** Takes a record back from a worker that was lost. */
  endLost(record: ModelRecord, now: Date): void {
    Object.assign(record, { owner: null, status: "PENDING", dueMs: now.getTime() });
    if (record.attempt >= MAX_RECORD_ATTEMPTS) {
      Object.assign(record, { status: "FAILED", error: LOST_ERROR, completedAt: now });
    }
  }

  nextDueInMs(now: Date): number | null {
    const times = this.records.flatMap(({ status, owner, untilMs, dueMs }) => {
      const pending = status === "PENDING" ? [dueMs] : [];
      return owner === null ? pending : [untilMs];
    });
    return times.length === 0 ? null : Math.max(0, Math.min(...times) - now.getTime());
  }
}

/** The record as it is read with its event's source. */
export function sourceRecordOf({ event: _, fence: __, owner: ___, untilMs: ____, dueMs: _____, ...record }: ModelRecord): SourceRecord {
  return record;
}

/** The record as it is read. */
export function recordOf(record: ModelRecord): ProcessingRecord {
  const { source: _, ...rest } = sourceRecordOf(record);
  return rest;
}
