export { credentialSource } from "./credential.ts";
export { cutText } from "./cut-text.ts";
export { httpChannel, optionsOf, type Provider, type ProviderPlace, type ProviderRequest, type Undeliverable } from "./http-channel.ts";
export { requireText } from "./require-text.ts";
export {
  busyProvider,
  codeOf,
  goneRecipient,
  memberOf,
  refusedCredentials,
  refusedMessage,
  statusVerdict,
  unreadableAnswer,
} from "./verdicts.ts";
