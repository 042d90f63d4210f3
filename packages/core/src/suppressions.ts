export type {
  SuppressInput,
  Suppression,
  SuppressionListInput,
  SuppressionPage,
  SuppressionReason,
  Suppressions,
} from "./delivery/index.ts";
