/** What a process does of the work in the background, where several share a database: all of it, none of it, or a part. */
export type ServiceRole = "all" | "web" | "worker" | "hub" | "command";

/** The work in the background that a role takes part in. */
export interface RoleWork {
  /** Makes deliveries, closes digests, places large audiences, and tidies up. */
  readonly delivers: boolean;
  /** Looks for alarms, and keeps the figures of health. */
  readonly watches: boolean;
  /** Works on retry runs. */
  readonly retries: boolean;
  /** Runs the hub's handlers. */
  readonly processes: boolean;
  /** How often it looks for large audiences that another process left to be placed, in milliseconds. */
  readonly fanOutLookMs: number;
}

const WORK: Readonly<Record<ServiceRole, RoleWork>> = {
  all: { delivers: true, watches: true, retries: true, processes: true, fanOutLookMs: 5_000 },
  web: { delivers: false, watches: true, retries: false, processes: false, fanOutLookMs: 5_000 },
  // The processes that take requests leave all of them to it.
  worker: { delivers: true, watches: true, retries: true, processes: false, fanOutLookMs: 1_000 },
  hub: { delivers: false, watches: true, retries: false, processes: true, fanOutLookMs: 5_000 },
  // It knows neither types nor channels, and a retry run needs none.
  command: { delivers: false, watches: false, retries: true, processes: false, fanOutLookMs: 5_000 },
};

/** The roles that a process can have. */
export const ROLES = Object.keys(WORK) as readonly ServiceRole[];

/** The work of a role. */
export function workOf(role: ServiceRole): RoleWork {
  return WORK[role];
}
