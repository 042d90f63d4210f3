/** What Redis says to a user whose rules do not permit a command; the second one is of scripts before Redis 7.2. */
const UNPERMITTED = /^NOPERM|The user executing the script can't/i;
/** What its user needs where Redis does not say which command it refused. */
const ALL_RULES = "+@all -@dangerous +info";

/**
 * Returns the rule that would have permitted what Redis refused, or null for any other error. It has nothing of what Redis says but a command:
 * newer versions name the user.
 *
 * @param prefix what the names of BullMQ's keys begin with
 */
export function lackedRule({ message }: Error, prefix: string): string | null {
  if (!UNPERMITTED.test(message)) {
    return null;
  }
  if (/access .*\bkeys?\b/i.test(message)) {
    return `~${prefix}:*`;
  }
  const [, command] = /run the '([a-z]{1,40})(?:\|[a-z-]{1,40})?' command/i.exec(message) ?? [];
  return command === undefined ? ALL_RULES : `+${command}`;
}
