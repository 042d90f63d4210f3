import type { ChangeRequest } from "../change.ts";
import type { ClientOptions } from "../options.ts";
import type { Push } from "./push.ts";

/** What pushes need of a client. */
export interface PushHost {
  readonly options: Omit<ClientOptions, "initial">;
  /** Where the state is shown. */
  readonly push: Push;
  change(request: ChangeRequest): unknown;
}
