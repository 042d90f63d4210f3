export {
  type Access,
  type Authorize,
  DASHBOARD_ACTIONS,
  type DashboardAction,
  type DashboardRequest,
  localOnly,
  type Role,
} from "./access.ts";
export { type Dashboard, dashboard, type MiddlewareRequest } from "./dashboard.ts";
export type { DashboardOptions, DashboardService, DashboardTenant } from "./dashboard-options.ts";
export type { Reader, Redact, Redactable, RedactableKind } from "./redaction.ts";
