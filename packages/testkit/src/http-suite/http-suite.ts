import { describe } from "vitest";
import { accessSuite } from "./access.ts";
import { burstsSuite } from "./bursts.ts";
import { credentialsSuite } from "./credentials.ts";
import { deliveryV1Suite } from "./delivery-v1.ts";
import { deliveryV1ChannelsSuite } from "./delivery-v1-channels.ts";
import { djangoSuite } from "./django.ts";
import { documented } from "./documented.ts";
import { dueItemsSuite } from "./due-items.ts";
import { gateSuite } from "./gate.ts";
import type { HttpHarness } from "./harness.ts";
import { healthSuite } from "./health.ts";
import { hostileSuite } from "./hostile.ts";
import { hubSuite } from "./hub.ts";
import { hubAccessSuite } from "./hub-access.ts";
import { hubSocketSuite } from "./hub-socket.ts";
import { inboxV1Suite } from "./inbox-v1.ts";
import { isolationSuite } from "./isolation.ts";
import { limitsSuite } from "./limits.ts";
import { mountingSuite } from "./mounting.ts";
import { nativeSuite } from "./native.ts";
import { nativeKeysSuite } from "./native-keys.ts";
import { oversizedSuite } from "./oversized.ts";
import { packSuite } from "./pack.ts";
import { packEnhancementsSuite } from "./pack-enhancements.ts";
import { realtimeSuite } from "./realtime.ts";
import { resumeSuite } from "./resume.ts";
import { roomsSuite } from "./rooms.ts";
import { securitySuite } from "./security.ts";
import { sendsElsewhereSuite } from "./sends-elsewhere.ts";
import { ticketsSuite } from "./tickets.ts";
import { unsubscribeSuite } from "./unsubscribe.ts";
import { wideSendsSuite } from "./wide-sends.ts";

/** The tests that see the framework. */
const OF_FRAMEWORK: readonly ((harness: HttpHarness) => void)[] = [
  inboxV1Suite,
  realtimeSuite,
  gateSuite,
  securitySuite,
  mountingSuite,
  healthSuite,
];

const EVERYTHING: readonly ((harness: HttpHarness) => void)[] = [
  ...OF_FRAMEWORK,
  djangoSuite,
  packSuite,
  nativeSuite,
  nativeKeysSuite,
  packEnhancementsSuite,
  deliveryV1Suite,
  deliveryV1ChannelsSuite,
  roomsSuite,
  sendsElsewhereSuite,
  hubSuite,
  hubAccessSuite,
  hubSocketSuite,
  ticketsSuite,
  unsubscribeSuite,
  burstsSuite,
  limitsSuite,
  oversizedSuite,
  wideSendsSuite,
  credentialsSuite,
  isolationSuite,
  dueItemsSuite,
  accessSuite,
  hostileSuite,
  resumeSuite,
];

/**
 * Tests an adapter over a storage against everything in the contracts, over real HTTP, WebSockets and SSE.
 *
 * @example
 * ```ts
 * httpSuite("Express over SQLite", { service, serve });
 * ```
 */
export function httpSuite(name: string, given: HttpHarness): void {
  const harness = documented(given);
  describe(`HTTP: ${name}`, () => {
    for (const suite of harness.covers === "framework" ? OF_FRAMEWORK : EVERYTHING) {
      suite(harness);
    }
  });
}
