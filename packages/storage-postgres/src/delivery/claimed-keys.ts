import type { ClaimedRow } from "@belfry/storage-sql";

/** How many keys are remembered: those of what several workers have under way. */
const MOST = 8_192;

/** The keys of a delivery's own row, and of its notification's. */
export type DeliveryKeys = readonly [pk: number, notificationPk: number];

/**
 * Remembers the keys of deliveries that this process claimed, until they end: the service knows them by their ids, and to find a hundred
 * rows by those is a tenth of what it takes to end them. Whoever is not remembered is found by id.
 */
export class ClaimedKeys {
  readonly #keys = new Map<string, DeliveryKeys>();

  /** Remembers those of rows that were claimed, and forgets the oldest. */
  note(rows: readonly ClaimedRow[]): void {
    for (const row of rows) {
      this.#keys.set(row[3], [row[0], row[1]]);
    }
    for (const id of this.#keys.keys()) {
      if (this.#keys.size <= MOST) {
        return;
      }
      this.#keys.delete(id);
    }
  }

  /** The keys of a delivery, which are forgotten then; null if they are not remembered. */
  take(id: string): DeliveryKeys | null {
    const keys = this.#keys.get(id) ?? null;
    this.#keys.delete(id);
    return keys;
  }
}
