export { type Access, type Authorize, type DashboardRequest, localOnly } from "./access.ts";
export { type Dashboard, dashboard, type MiddlewareRequest } from "./dashboard.ts";
export type { DashboardOptions, DashboardService, DashboardTenant } from "./dashboard-options.ts";
