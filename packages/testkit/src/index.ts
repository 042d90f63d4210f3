export type { StorageHarness, StorageSubject } from "./storage-suite/harness.ts";
export { storageSuite } from "./storage-suite/storage-suite.ts";
