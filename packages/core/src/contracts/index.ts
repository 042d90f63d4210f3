export { deliveryV1 } from "./delivery-v1/index.ts";
export { django } from "./django/index.ts";
export { fastapiError, fastapiFailure, fastapiValidationError, retryAfter } from "./fastapi-failure.ts";
export { type HubContractOptions, hub, type ListStyle } from "./hub/index.ts";
export { inboxV1 } from "./inbox-v1/index.ts";
export { isoDate, isoDateOrNull } from "./iso-date.ts";
export { type ClientMessage, parseMessage } from "./message-socket.ts";
export { type PackOptions, pack } from "./pack.ts";
