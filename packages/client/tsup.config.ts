import { addressesLeftAlone, firstInOneFile, packageBuild, packageBuilds } from "../../tsup.base.ts";

const ENTRY = { index: "src/index.ts" };
const OPTIONS = { shims: false, minify: true };

export default packageBuilds(
  // Browsers load it as it is: it is small, and imports nothing of Node's.
  packageBuild(ENTRY, { ...OPTIONS, esbuildPlugins: [firstInOneFile(ENTRY.index)], plugins: [addressesLeftAlone] }),
  // A service worker shares no file with a page.
  packageBuild({ "service-worker": "src/push/service-worker.ts" }, { ...OPTIONS, splitting: false }),
  // One file for hosts to serve as it is: a classic script, which needs no module support in workers.
  packageBuild(
    { worker: "src/push/ready-worker.ts" },
    {
      ...OPTIONS,
      format: ["iife"],
      dts: false,
      target: ["es2022", "chrome110", "firefox115", "safari16.4"],
      outExtension: () => ({ js: ".js" }),
    },
  ),
);
