// Fails if a dependency has a known advisory of high or critical severity. Options go to `pnpm audit`.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** The ways in which a registry says that it keeps no advisories. */
const NO_ENDPOINT = /ERR_PNPM_AUDIT_ENDPOINT_NOT_EXISTS|responded with (404|405|410|501)\b/;

await promisify(execFile)("pnpm", ["audit", "--audit-level", "high", ...process.argv.slice(2)]).then(
  () => console.log("No dependency has a known advisory of high or critical severity."),
  ({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }) => {
    if (NO_ENDPOINT.test(stderr)) {
      console.log("Skipped the advisories: this registry has no audit endpoint. Run `pnpm check:audit` against one that has.");
      return;
    }
    console.error(stdout + stderr);
    process.exitCode = 1;
  },
);
