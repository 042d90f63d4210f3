import { BelfryError } from "../foundation/errors.ts";

/** The oldest Node that Belfry is tested on. */
const OLDEST_NODE = { major: 22, minor: 14 };

/** What a runtime says of itself in `process.versions`: Node, and runtimes that imitate it, have this. */
export type RuntimeVersions = Readonly<Record<string, string | undefined>>;

/**
 * Refuses a Node that is too old: some of what workers need is missing there, so that sends would be accepted and never
 * delivered. Other runtimes pass, also those that name the Node they imitate.
 *
 * @throws BelfryError `CONFIGURATION` that names the version
 */
export function checkRuntime(versions: RuntimeVersions = versionsHere()): void {
  const { node, bun, deno } = versions;
  if (node === undefined || bun !== undefined || deno !== undefined) {
    return;
  }
  const [major = 0, minor = 0] = node.split(".").map(Number);
  const isNewEnough = major > OLDEST_NODE.major || (major === OLDEST_NODE.major && minor >= OLDEST_NODE.minor);
  if (!isNewEnough) {
    throw new BelfryError(
      "CONFIGURATION",
      `NotificationService needs Node ${OLDEST_NODE.major}.${OLDEST_NODE.minor} or newer, but runs on Node ${node}. Update Node.`,
    );
  }
}

/** Empty on runtimes without a `process`, and where a bundler put a bare stand-in. */
function versionsHere(): RuntimeVersions {
  const { process } = globalThis as { readonly process?: { readonly versions?: RuntimeVersions } };
  return process?.versions ?? {};
}
