export { type ChannelHarness, type ChannelSubject, channelSuite } from "./channel-suite.ts";
export type { HttpHarness, Mounting, RunningServer, ServiceNeeds } from "./http-suite/harness.ts";
export { httpSuite } from "./http-suite/http-suite.ts";
export { runServer } from "./http-suite/run-server.ts";
export type { StorageHarness, StorageSubject } from "./storage-suite/harness.ts";
export { storageSuite } from "./storage-suite/storage-suite.ts";
export { type TransportHarness, transportSuite } from "./transport-suite.ts";
export type { PublishedRow, PublishedValue } from "./upgrade-suite/published-rows.ts";
export { type UpgradeHarness, type UpgradeSubject, upgradeSuite } from "./upgrade-suite/upgrade-suite.ts";
