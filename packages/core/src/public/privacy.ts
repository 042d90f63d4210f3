export type {
  DeletedUser,
  ItemRetention,
  RetentionOptions,
  SweepResult,
  UserNames,
} from "../privacy/index.ts";
