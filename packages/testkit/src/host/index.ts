export type { LocalServer } from "./providers/local-server.ts";
export type { ProviderBehaviour, ProviderMessage, ProviderRequest } from "./providers/protocol.ts";
export { type ProviderName, type ProviderServer, providerServer } from "./providers/provider-server.ts";
export { type OfAnyProvider, type Recorder, type RecorderAnswer, type RecorderOptions, recorder } from "./recorder.ts";
export { type TestClock, testClock, turns } from "./test-clock.ts";
