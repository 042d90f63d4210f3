// A service worker as it is, or a script for `importScripts` in a host's own.
import { showPushes } from "./service-worker.ts";
import type { PushWorkerScope } from "./worker-scope.ts";

declare const self: PushWorkerScope;

showPushes(self);
