export { type AddressClass, classifyAddress } from "./address-rules.ts";
export { type ChannelTimes, faultOfTimes } from "./channel-times.ts";
export type { Connect, ConnectTarget } from "./connect.ts";
export type {
  Egress,
  EgressAnswer,
  EgressFailure,
  EgressFailureCode,
  EgressOptions,
  EgressRequest,
  EgressResult,
} from "./egress.ts";
export { createEgress } from "./guarded-egress.ts";
export type { Credential, HttpChannelOptions } from "./http-channel-options.ts";
export { type HttpDelivery, type HttpOutcome, httpOutcome, type ReadAnswer, type Verdict } from "./http-outcome.ts";
export { type KeptExchange, type KeptPart, keptExchange } from "./kept-exchange.ts";
export type { Resolve, ResolvedAddress } from "./resolve.ts";
