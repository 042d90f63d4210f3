/** The part of a storage that keeps the figures of health over time, of all tenants. */
export interface HealthStorage {
  /**
   * Folds sums of attempts whose minutes began before `before` into those of their half hours, the oldest first and some at a time, so that a
   * window of half hours counts the same before and after. Others may add to the same sums meanwhile. Returns whether more are left.
   */
  foldAttempts(before: Date): Promise<boolean>;
  /** Removes sums of attempts of minutes that began before `before`, the oldest first and some at a time. Returns whether more are left. */
  pruneAttempts(before: Date): Promise<boolean>;
}
