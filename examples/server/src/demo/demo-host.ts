import { push } from "@belfry/channel-push";
import { type HubOptions, NotificationService, type NotificationServiceOptions } from "@belfry/core";
import { native } from "@belfry/core/contracts";
import type { Contract } from "@belfry/core/http";
import type { Storage } from "@belfry/core/storage";
import { channelsOf } from "../channels.ts";
import type { ServerConfig } from "../config.ts";
import { directoryOf } from "../user-addresses.ts";
import { type DemoService, prepareDemo } from "./create-for-demo.ts";
import { demoContract } from "./demo-contract.ts";
import { demoTypes } from "./demo-types.ts";
import { DEMO_TOPIC, DEMO_USERS } from "./demo-users.ts";
import { demoVapidKeys } from "./demo-vapid-keys.ts";
import { mailbox } from "./mailbox.ts";

/** The options of the host's service that do not go by its types. */
export type HostOptions = Omit<NotificationServiceOptions, "types" | "channels" | "directory" | "hub" | "storage"> & {
  readonly storage: Storage;
  readonly hub: Omit<HubOptions, "onResult">;
};

/** The parts of the host that are others in a demo. */
export interface DemoHost {
  readonly notifications: DemoService;
  /** `native` with the demo's topic, and the routes of the demo's page. */
  readonly contracts: readonly Contract[];
  /** Fills the inboxes of a new database. */
  prepare(): Promise<void>;
}

/** Makes the service of a demo: with declared types, with users who have addresses, with keys for web push where no push is configured, and with a mailbox where no mail server is. */
export function demoHost(config: ServerConfig, options: HostOptions): DemoHost {
  const mails = mailbox();
  const hasServers = config.smtpUrls.length > 0;
  const configured = channelsOf(config).filter(({ name }) => hasServers || name !== mails.name);
  const pushes = configured.some(({ devices }) => devices !== undefined) ? [] : [push({ web: { vapid: demoVapidKeys(config.database) } })];
  const channels = [...configured, ...pushes, ...(hasServers ? [] : [mails])];
  const userEmails = new Map([...DEMO_USERS.map(({ id, email }) => [id, email] as const), ...config.userEmails]);
  const directory = directoryOf({ ...config, userEmails }, channels);
  const notifications: DemoService = new NotificationService({
    ...options,
    types: demoTypes,
    channels,
    ...(directory && { directory }),
  });
  return {
    notifications,
    contracts: [
      native({ topics: (topic) => topic === DEMO_TOPIC }),
      demoContract({ notifications, jwtSecret: config.jwtSecret, mails: mails.mails }),
    ],
    prepare: () => prepareDemo(notifications),
  };
}
