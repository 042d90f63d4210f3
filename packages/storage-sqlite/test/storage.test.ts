import { storageSuite } from "@belfry/testkit";
import { byPath, shared } from "./storage-subject.ts";

storageSuite("sqlite by path", { singleWriter: true, covers: "examples", create: byPath });

storageSuite("sqlite on the host's connection", {
  singleWriter: true,
  covers: process.env.BELFRY_LONG ? "examples" : "opening",
  create: shared,
});
