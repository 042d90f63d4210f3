import { TenantShare } from "./fairness.ts";
import type { Lease, NamedTask } from "./lease-storage.ts";

/**
 * Names up to `limit` tasks that a claim would find, with `look`, which may leave tenants out. So that one tenant does not fill the look, it gets
 * its share of it.
 */
export async function lookAtDue(
  limit: number,
  look: (exceptTenants: readonly string[]) => Promise<readonly NamedTask[]>,
): Promise<readonly Lease[]> {
  const share = new TenantShare(limit);
  const found = new Map<string, Lease>();
  const add = (due: readonly NamedTask[]) => {
    for (const { tenant, ...name } of due) {
      if (found.size < limit && share.mayBegin(tenant) && !found.has(name.id)) {
        found.set(name.id, name);
        share.began(tenant);
      }
    }
  };
  const first = await look([]);
  add(first);
  if (first.length === limit && share.full().length > 0) {
    add(await look(share.full()));
  }
  return [...found.values()];
}
