import type { NotificationService, NotificationServiceOptions } from "@belfry/core";
import type { HandlerOptions } from "@belfry/core/http";

/** Where and how a suite wants the contracts mounted. */
export interface Mounting {
  /** The prefix of all paths, for example `/deep/er`. @default "" */
  readonly prefix?: string;
  /** Whether the host's own JSON parser runs before Belfry, where the framework has one. @default false */
  readonly parseFirst?: boolean;
}

/** A server that a suite talks to over real sockets. */
export interface RunningServer {
  /** For example `http://127.0.0.1:40123`, the prefix left out. */
  readonly url: string;
  /** Ends what is open and stops listening. */
  close(): Promise<void>;
}

/** What a suite wants of a service beside an empty storage: to be passed on to `NotificationService` as it is. */
export type ServiceNeeds = Pick<NotificationServiceOptions, "types" | "logger" | "channels" | "hub">;

/** What the HTTP suite needs of a framework's adapter and a storage. */
export interface HttpHarness {
  /** A service on an empty storage. */
  service(needs: ServiceNeeds): Promise<NotificationService>;
  /**
   * Serves the contracts on a free port of the loopback address, through {@link runServer}. Beside Belfry, the host
   * answers `GET /host` and `POST /host/echo` (which sends the JSON it got back) itself, and everything else with 404.
   */
  serve(service: NotificationService, options: HandlerOptions, mounting?: Mounting): Promise<RunningServer>;
}
