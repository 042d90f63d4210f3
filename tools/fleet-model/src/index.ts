export {
  type DeliveryCost,
  type FleetCosts,
  type Kind,
  readCosts,
  type TransportCosts,
  type TransportName,
  type Work,
  writeCosts,
} from "./costs.ts";
export { fitCosts, type Observation } from "./fit.ts";
export { DEFAULT_LIMITS } from "./plan.ts";
export { tableOf } from "./report.ts";
export { type Cpu, cpuOf, deliveryCostOf, workIn } from "./work.ts";
