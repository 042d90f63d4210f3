import { type Check, type Finding, fine } from "./finding.ts";
import { installedVersions } from "./installed-versions.ts";

const OLDEST_NODE = { major: 22, minor: 14 };

/** Looks at Node, and at the versions of Belfry's packages that are installed beside each other. */
export const lookAtRuntime: Check = () => [nodeFinding(process.versions.node), packagesFinding()];

function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isOld = major < OLDEST_NODE.major || (major === OLDEST_NODE.major && minor < OLDEST_NODE.minor);
  return isOld
    ? { level: "error", about: "node", message: `Node ${version} is too old.`, remedy: "Install Node 22.14 or newer." }
    : fine("node", `Node ${version}.`);
}

function packagesFinding(): Finding {
  const versions = installedVersions();
  const shown = versions.map(([name, version]) => `${name} ${version}`).join(", ");
  if (new Set(versions.map(([, version]) => version)).size === 1) {
    return fine("packages", `${shown}.`);
  }
  const message = `The packages have different versions: ${shown}.`;
  return { level: "warning", about: "packages", message, remedy: "Update all @belfry packages together." };
}
