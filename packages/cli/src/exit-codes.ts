/** How a command ended, for scripts. Its number never changes its meaning. */
export const EXIT = {
  /** Done, and nothing is wrong. */
  ok: 0,
  /** It failed, or found something that is broken. */
  failed: 1,
  /** Its arguments, or the configuration, cannot be. Nothing was changed. */
  usage: 2,
  /** The database is not there, or out of reach. What was under way may have been written. */
  unreachable: 3,
  /** It works, but something needs attention: a warning of `doctor`, a pending migration of `migrate --dry-run`, a retry run that somebody else paused or cancelled. */
  attention: 4,
  /** Ctrl-C ended it, or an answer to a prompt did. */
  interrupted: 130,
} as const;

/** One of the exit codes. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
