import type { HubEvent, SourceRecord } from "../../hub/index.ts";

// One event, or record, reaches every subscriber of this process as the same object, so its frame is written once.
const written = new WeakMap<object, string>();

/** The frame of an event. */
export function eventFrame(event: HubEvent): string {
  const { id, source, sender, content, metadata } = event;
  return once(event, { type: "notification", notification_id: id, source_service: source, sender_id: sender, content, metadata });
}

/** The frame of what a handler made of an event. */
export function recordFrame(record: SourceRecord): string {
  const { notificationId, handlerId, status, result, error } = record;
  const of = { notification_id: notificationId, handler_id: handlerId, status };
  return once(record, status === "COMPLETED" ? { type: "processing_result", ...of, result } : { type: "processing_error", ...of, error });
}

function once(of: object, frame: object): string {
  const text = written.get(of) ?? JSON.stringify(frame);
  written.set(of, text);
  return text;
}
