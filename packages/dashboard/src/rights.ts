import { BelfryError, requireOptions } from "@belfry/core";
import { type Access, DASHBOARD_ACTIONS, type DashboardAction, DEFAULT_ACTOR, type Role } from "./access.ts";

/** What a person may do in the tenant that a request is about. */
export interface Rights {
  readonly actor: string;
  readonly tenant: string;
  readonly actions: readonly DashboardAction[];
  /** Every tenant that they may look at; this one is among them. */
  readonly tenants: readonly string[];
}

const ROLE: Readonly<Record<keyof Role, true>> = { read: true, act: true };
const ACCESS: Readonly<Record<keyof Access, true>> = { ...ROLE, actor: true, tenant: true, tenants: true };
const ANSWER = "The answer of the dashboard's authorize";
/** The length of the longest actor, in characters. */
const MAX_ACTOR = 255;

/**
 * Checks the answer of `authorize`, as a host without TypeScript may give it: a misspelt right is one too few or too many.
 *
 * @param usual the tenant of those for whom it names none
 * @returns null for nobody
 * @throws BelfryError `CONFIGURATION` that says what is wrong
 */
export function checkedAccess(answer: unknown, usual: string): Access | null {
  if (answer === null || answer === undefined) {
    return null;
  }
  requireOptions(ANSWER, answer, ACCESS);
  const access = answer as Access;
  requireRole(ANSWER, access);
  for (const name of ["actor", "tenant"] as const) {
    const value: unknown = access[name];
    if (value !== undefined && typeof value !== "string") {
      throw wrong(`${ANSWER} has as ${name} ${kindOf(value)}, not a text`);
    }
  }
  if (access.tenants !== undefined) {
    requireTenants(access.tenants, access.tenant ?? usual);
  }
  return access;
}

/**
 * Returns the rights in a tenant; null for nobody.
 *
 * @param asked the tenant that the request names; null for none
 * @param usual the tenant of those for whom `authorize` names none
 * @throws BelfryError `FORBIDDEN` for a tenant that the person may not look at
 */
export function rightsIn(access: Access, { asked, usual }: { readonly asked: string | null; readonly usual: string }): Rights | null {
  if (!access.read) {
    return null;
  }
  const own = access.tenant ?? usual;
  const roles = new Map<string, Role>([...Object.entries(access.tenants ?? {}), [own, access]]);
  const tenant = asked ?? own;
  const role = roles.get(tenant);
  if (!role?.read) {
    throw new BelfryError("FORBIDDEN", "You may not look at this tenant.");
  }
  const tenants = [...roles].flatMap(([name, { read }]) => (read ? [name] : [])).toSorted();
  return { actor: auditName(access.actor), tenant, actions: actionsOf(role), tenants };
}

/** Turns any text from a host or a login form into a name for the audit log: well-formed, at most 255 characters, never empty. */
function auditName(actor: string | undefined): string {
  const kept = [...(actor ?? "").toWellFormed().replaceAll("\u0000", "").trim()].slice(0, MAX_ACTOR).join("");
  return kept === "" ? DEFAULT_ACTOR : kept;
}

function actionsOf({ act }: Role): readonly DashboardAction[] {
  return DASHBOARD_ACTIONS.filter((action) => (typeof act === "boolean" ? act : act.includes(action)));
}

function requireRole(whose: string, { read, act }: Role): void {
  if (typeof read !== "boolean") {
    throw wrong(`${whose} has as read ${kindOf(read)}, not true or false`);
  }
  if (typeof act !== "boolean" && !Array.isArray(act)) {
    throw wrong(`${whose} has as act ${kindOf(act)}, not true, false or a list of actions`);
  }
  const stranger = typeof act === "boolean" ? undefined : act.find((action) => !DASHBOARD_ACTIONS.includes(action));
  if (stranger !== undefined) {
    throw wrong(`${whose} has the action ${JSON.stringify(stranger)}; there are ${DASHBOARD_ACTIONS.join(", ")}`);
  }
}

function requireTenants(tenants: unknown, own: string): void {
  if (!isPlain(tenants)) {
    throw wrong(`${ANSWER} has as tenants ${kindOf(tenants)}, not an object of rights by tenant`);
  }
  for (const [tenant, role] of Object.entries(tenants)) {
    const whose = `${ANSWER}, for the tenant ${JSON.stringify(tenant)},`;
    if (tenant === own) {
      throw wrong(`${whose} has rights twice: beside its actor, and among its tenants`);
    }
    requireOptions(whose, role, ROLE);
    requireRole(whose, role as Role);
  }
}

function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value));
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) {
    return String(value);
  }
  return Array.isArray(value) ? "a list" : `something of the type ${typeof value}`;
}

function wrong(message: string): BelfryError {
  return new BelfryError("CONFIGURATION", `${message}.`);
}
