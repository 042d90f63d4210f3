export type { Access, Authorize, DashboardRequest } from "./access.ts";
export { type Dashboard, dashboard } from "./dashboard.ts";
export type { DashboardOptions, DashboardService, DashboardTenant } from "./dashboard-options.ts";
