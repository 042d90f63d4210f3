import type { Send, SendAnalytics, SendAnalyticsQuery, SendPage, SendQuery, SendState } from "../delivery/index.ts";
import { compareBytewise } from "../notifications/index.ts";

/** The page of `sends` that `query` asks for. */
export function pageOf(sends: readonly Send[], query: SendQuery): SendPage {
  const matching = sends.filter((send) => matches(send, query));
  const newestFirst = (left: Send, right: Send) =>
    right.createdAt.getTime() - left.createdAt.getTime() || compareBytewise(right.id, left.id);
  const orders = {
    "-created_at": newestFirst,
    created_at: (left: Send, right: Send) => -newestFirst(left, right),
    status: (left: Send, right: Send) => compareBytewise(left.status, right.status) || newestFirst(left, right),
  };
  matching.sort(orders[query.sort]);
  return { sends: matching.slice(query.offset, query.offset + query.limit), total: matching.length };
}

function matches(send: Send, { channel, roomId, status, createdAfter, createdBefore, recipient }: SendQuery): boolean {
  return (
    (channel === undefined || send.channel === channel) &&
    (roomId === undefined || send.roomId === roomId) &&
    (status === undefined || send.status === status) &&
    (createdAfter === undefined || send.createdAt > createdAfter) &&
    (createdBefore === undefined || send.createdAt < createdBefore) &&
    (recipient === undefined || send.recipients.includes(recipient))
  );
}

/** Counts those of `sends` that `query` asks for. */
export function analyticsOf(sends: readonly Send[], { from, before, channel, roomId }: SendAnalyticsQuery): SendAnalytics {
  const counted = sends.filter(
    (send) =>
      (from === undefined || send.createdAt >= from) &&
      (before === undefined || send.createdAt < before) &&
      (channel === undefined || send.channel === channel) &&
      (roomId === undefined || send.roomId === roomId),
  );
  const byStatus: Record<SendState["status"], number> = { pending: 0, sent: 0, delivered: 0, failed: 0, partial: 0, cancelled: 0 };
  const byChannel = new Map<string, number>();
  for (const send of counted) {
    byStatus[send.status] += 1;
    byChannel.set(send.channel, (byChannel.get(send.channel) ?? 0) + 1);
  }
  return {
    total: counted.length,
    byStatus,
    byChannel: Object.fromEntries(byChannel),
    fallbackUsed: counted.filter(({ fallbackUsed }) => fallbackUsed).length,
  };
}
