import type { ErasureStep, ExportStep, StepRange, SweepStep } from "../foundation/json.ts";

/**
 * Why nothing is delivered to an address: its provider said for good that there is nobody (`hard_bounce`), or several times that it takes
 * nothing now (`soft_bounces`); its reader called a mail spam (`complaint`) or asked to be left alone (`unsubscribed`); or somebody said so
 * (`manual`).
 */
export type SuppressionReason = "hard_bounce" | "soft_bounces" | "complaint" | "unsubscribed" | "manual";

/** An address that nothing is delivered to over its channel. */
export interface Suppression {
  readonly channel: string;
  /** In the form in which the channel compares addresses; empty once its user was deleted, of whom only a hash is kept. */
  readonly address: string;
  readonly reason: SuppressionReason;
  /** Who suppressed it: a person or a program as the host names them, or the provider that reported it. */
  readonly actor: string;
  /** More about the reason, such as the words of the mail server; null for none. */
  readonly detail: string | null;
  readonly createdAt: Date;
}

/** An address that nothing is delivered to any more, or is again. */
export interface SuppressionChanged extends Suppression {
  readonly tenant: string;
}

/** The events of suppressions, by name. */
export interface SuppressionEvents {
  "address.suppressed": SuppressionChanged;
  /** As it was before somebody lifted it. */
  "address.lifted": SuppressionChanged;
}

/** Names an address over a channel, in the form in which the channel compares addresses. */
export type Place = Pick<Suppression, "channel" | "address">;

/** What is to become of an address. `notificationId` stands in the line of the audit log. */
export type SuppressionChange = Place & { readonly tenant: string; readonly notificationId: string } & (
    | ({ readonly kind: "suppress" } & Pick<Suppression, "reason" | "actor" | "detail">)
    /** Counts a delivery that bounced for now, once; from `most` such deliveries since `since` on, the address is suppressed. */
    | ({
        readonly kind: "count";
        readonly deliveryId: string;
        readonly since: Date;
        readonly most: number;
      } & Pick<Suppression, "reason" | "actor" | "detail">)
    /** Forgets the deliveries that were counted: one has arrived. */
    | { readonly kind: "arrived" }
    /** Forgets them, and delivers to the address again. */
    | { readonly kind: "lift"; readonly actor: string }
  );

/** A page of suppressions to read: by address, and by channel where several have the same. */
export interface SuppressionRange {
  /** How the addresses begin; empty for all. */
  readonly prefix: string;
  readonly channel: string | null;
  readonly reason: SuppressionReason | null;
  /** The last one of the page before, as {@link PagedSuppression.key}; null begins at the start. */
  readonly after: string | null;
  readonly limit: number;
}

/** A suppression of a page. */
export interface PagedSuppression extends Suppression {
  /** Leads to those after it. Only the storage that made it can read it; up to 600 characters. */
  readonly key: string;
}

/** Says which addresses are suppressed. */
export interface SuppressionSource {
  /** The suppressions of those of these addresses that are suppressed, with each address as it was asked; it reads nothing for none. */
  of(tenant: string, places: readonly Place[]): Promise<readonly Suppression[]>;

  /** Those of these tenants that have any suppressed address, whatever its channel. */
  tenantsWithSome(tenants: readonly string[]): Promise<readonly string[]>;
}

/** The part of a storage that keeps suppressed addresses. Every method is one transaction, and its queries are scoped by tenant. */
export interface SuppressionsStorage extends SuppressionSource {
  /**
   * Writes changes, each with a line of the audit log if an address is suppressed or lifted by it. An address that is suppressed stays so as
   * it was, and one that is not cannot be lifted. `SettleChanges` may have such changes, too, with the same effects.
   */
  change(changes: readonly SuppressionChange[], at: Date): Promise<void>;

  list(tenant: string, range: SuppressionRange): Promise<readonly PagedSuppression[]>;

  /**
   * Takes the text of these addresses, and what is said of them, out of up to `limit` suppressions of a tenant. The addresses stay suppressed:
   * a hash of each is left.
   */
  erase(tenant: string, addresses: readonly string[], limit: number): Promise<ErasureStep>;

  /** The suppressions of these addresses, over any channel. */
  export(tenant: string, addresses: readonly string[], range: StepRange): Promise<ExportStep<Suppression>>;

  /** Forgets deliveries of all tenants that bounced for now before `before`. */
  sweep(before: Date, range: StepRange): Promise<SweepStep>;
}
