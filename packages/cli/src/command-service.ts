import type {
  ApiKeys,
  ChannelInfo,
  Created,
  DeletedUser,
  InboxCounts,
  InboxList,
  ListInput,
  Operator,
  RetentionOptions,
  ServiceDatabase,
  SweepResult,
  UntypedCreateInput,
  UntypedTopicInput,
  UserNames,
} from "@belfry/core";
import type { HandlerOptions } from "@belfry/core/http";

/** The part of a `NotificationService` that commands use. It does not depend on the service's types and storage. */
export interface CommandService {
  readonly defaultTenant: CommandTenant;
  readonly apiKeys: Pick<ApiKeys, "create" | "list" | "revoke">;
  readonly database: Pick<ServiceDatabase, "place" | "inspect" | "migrations" | "migrate" | "supportsPartitions" | "partition">;
  readonly retention: RetentionOptions;
  tenant(tenantId: string): CommandTenant;
  sweep(): Promise<SweepResult>;
  stop(): Promise<void>;
}

/** The part of a tenant's notifications that commands use. */
export interface CommandTenant {
  readonly tenantId: string;
  readonly operator: Pick<Operator, "alarms" | "backlog" | "countRetryable" | "pauses" | "retries" | "search" | "work">;
  createUntyped(input: UntypedCreateInput | UntypedTopicInput): Promise<Created>;
  channels(): readonly ChannelInfo[];
  inbox(userId: string): CommandInbox;
  exportUser(userId: string, names?: UserNames): AsyncGenerator<string, void, undefined>;
  deleteUser(userId: string, names?: UserNames): Promise<DeletedUser>;
}

/** The part of an inbox that commands use. */
export interface CommandInbox {
  list(input?: ListInput): Promise<InboxList>;
  counts(): Promise<InboxCounts>;
}

/** What `belfry.config.ts` exports, by name or as its default. */
export interface BelfryConfig {
  /** The application's service. Commands stop it when they are done; nothing of it has to run. */
  readonly notifications: CommandService;
  /** The options with which it is mounted, for `doctor`. @default they are not looked at */
  readonly handler?: HandlerOptions;
}
