import { type Check, type Finding, fine } from "./finding.ts";

/** How long something may be due before it is a sign that nobody works. */
const LATE_MS = 60_000;

/** Looks at the work in the background: who holds leases, what waits for too long, and which alarms are raised. */
export const lookAtWork: Check = async ({ tenant: { operator } }) => {
  const [work, backlog, alarms] = [await operator.work("1h"), await operator.backlog(), await operator.alarms()];
  const now = Date.now();
  const waits = [
    ...backlog.map(({ channel, oldestDueAt }) => ({ what: `deliveries over ${channel}`, oldestDueAt })),
    { what: "events of the hub", oldestDueAt: work.hub.oldestDueAt },
    { what: "digests", oldestDueAt: work.digests.oldestDueAt },
  ];
  const late = waits.flatMap(({ what, oldestDueAt }): Finding[] =>
    oldestDueAt === null || now - oldestDueAt.getTime() < LATE_MS ? [] : [lateFinding(what, now - oldestDueAt.getTime())],
  );
  const dead = work.leases.filter(({ until }) => until.getTime() < now);
  const lost = dead.map(
    ({ work: what, owner, leases }): Finding => ({
      level: "warning",
      about: "workers",
      message: `The worker ${owner} has let ${leases} leases on ${what} run out: its process is gone, or stuck.`,
      remedy: "Another process takes them over; see its log for the reason.",
    }),
  );
  const living = work.leases.length - dead.length;
  const raised = alarms.map(
    ({ kind, channel, raisedAt }): Finding => ({
      level: "warning",
      about: "alarms",
      message: `The alarm ${kind} of the channel ${channel} has been raised since ${raisedAt.toISOString()}.`,
      remedy: "See the health page of the dashboard.",
    }),
  );
  const found = [...late, ...lost, ...raised];
  return found.length > 0 ? found : [fine("workers", `Nothing waits for longer than a minute; ${living} workers hold leases.`)];
};

function lateFinding(what: string, lateMs: number): Finding {
  return {
    level: "warning",
    about: "workers",
    message: `The oldest of the ${what} has been due for ${Math.round(lateMs / 1_000)} s.`,
    remedy: "Check that a process with notifications.start() runs whose delivery.worker and hub.worker are on.",
  };
}
