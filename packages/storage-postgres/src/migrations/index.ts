import type { Migration } from "@belfry/core/storage";
import { inboxMigration } from "./0001-inbox.ts";
import { deliveriesMigration } from "./0002-deliveries.ts";
import { hubMigration } from "./0003-hub.ts";
import { activityMigration } from "./0004-activity.ts";
import { inboxChangesMigration } from "./0005-inbox-changes.ts";
import { priorityMigration } from "./0006-priority.ts";
import { trackingsMigration } from "./0007-trackings.ts";
import { erasingMigration } from "./0008-erasing.ts";
import { socketTicketsMigration } from "./0009-socket-tickets.ts";
import { promptsMigration } from "./0010-prompts.ts";
import { dueByTenantMigration } from "./0011-due-by-tenant.ts";
import { linksMigration } from "./0012-links.ts";
import { byTypeMigration } from "./0013-by-type.ts";
import { preferencesMigration } from "./0014-preferences.ts";
import { renderedMigration } from "./0015-rendered.ts";
import { decidedMigration } from "./0016-decided.ts";
import { itemMarksMigration } from "./0017-item-marks.ts";
import { quietMigration } from "./0018-quiet.ts";
import { throttlesMigration } from "./0019-throttles.ts";
import { dueItemsMigration } from "./0020-due-items.ts";
import { digestsMigration } from "./0021-digests.ts";
import { deliveryTermsMigration } from "./0022-delivery-terms.ts";
import { fanOutsMigration } from "./0023-fan-outs.ts";
import { changeLogMigration } from "./0024-change-log.ts";
import { categoriesMigration } from "./0025-categories.ts";
import { groupsMigration } from "./0026-groups.ts";
import { referringMigration } from "./0027-referring.ts";
import { topicsMigration } from "./0028-topics.ts";
import { expiringItemsMigration } from "./0029-expiring-items.ts";
import { rangesMigration } from "./0030-ranges.ts";
import { audiencesMigration } from "./0031-audiences.ts";

/** Every migration in order; the first has number 1. Only ever append. */
export const MIGRATIONS = [
  { phase: "expand", sql: inboxMigration },
  { phase: "expand", sql: deliveriesMigration },
  { phase: "expand", sql: hubMigration },
  { phase: "expand", sql: activityMigration },
  { phase: "expand", sql: inboxChangesMigration },
  { phase: "expand", sql: priorityMigration },
  { phase: "expand", sql: trackingsMigration, oldestCompatible: 7 },
  { phase: "expand", sql: erasingMigration },
  { phase: "expand", sql: socketTicketsMigration },
  { phase: "expand", sql: promptsMigration, oldestCompatible: 10 },
  { phase: "expand", sql: dueByTenantMigration },
  { phase: "expand", sql: linksMigration },
  { phase: "expand", sql: byTypeMigration },
  { phase: "expand", sql: preferencesMigration },
  { phase: "expand", sql: renderedMigration },
  { phase: "expand", sql: decidedMigration },
  { phase: "expand", sql: itemMarksMigration },
  { phase: "expand", sql: quietMigration },
  { phase: "expand", sql: throttlesMigration },
  { phase: "expand", sql: dueItemsMigration },
  { phase: "expand", sql: digestsMigration },
  { phase: "expand", sql: deliveryTermsMigration },
  { phase: "expand", sql: fanOutsMigration },
  { phase: "expand", sql: changeLogMigration },
  { phase: "expand", sql: categoriesMigration },
  { phase: "expand", sql: groupsMigration },
  { phase: "expand", sql: referringMigration },
  { phase: "expand", sql: topicsMigration },
  { phase: "expand", sql: expiringItemsMigration },
  { phase: "expand", sql: rangesMigration },
  { phase: "expand", sql: audiencesMigration },
] as const satisfies readonly Migration[];
