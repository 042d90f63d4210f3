import type { PresenceStorage } from "@belfry/core/storage";
import { type Bound, bind, run } from "../database/bind.ts";
import { prepareAnnounce, prepareLeave, prepareOnline, prepareRenewPresence } from "./presence.ts";

/** Who is connected to which instance, in PostgreSQL. */
export function postgresPresence(bound: Bound): PresenceStorage {
  return bind(bound, {
    announce: run(prepareAnnounce),
    renew: run(prepareRenewPresence),
    leave: run(prepareLeave),
    online: run(prepareOnline),
  });
}
