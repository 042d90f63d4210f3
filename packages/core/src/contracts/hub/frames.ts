import type { HubEvent, SourceRecord } from "../../hub/index.ts";

// Every subscriber of this process gets the same object for an event or record, so its frame is made once.
const written = new WeakMap<object, string>();

/** Returns the frame of an event. */
export function eventFrame(event: HubEvent): string {
  const { id, source, sender, content, metadata } = event;
  return once(event, { type: "notification", notification_id: id, source_service: source, sender_id: sender, content, metadata });
}

/** Returns the frame of a processing record. */
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
