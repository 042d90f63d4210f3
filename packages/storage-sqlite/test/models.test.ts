import { storageSuite } from "@belfry/testkit";
import { byPath, shared } from "./storage-subject.ts";

const isLong = Boolean(process.env.BELFRY_LONG);

// More where there is time.
storageSuite("sqlite by path", {
  singleWriter: true,
  covers: "models",
  modelOperations: isLong ? 10_000 : 600,
  cacheSteps: isLong ? 100_000 : 200,
  create: byPath,
});

if (isLong) {
  storageSuite("sqlite on the host's connection", { singleWriter: true, covers: "models", modelOperations: 2_000, create: shared });
}
