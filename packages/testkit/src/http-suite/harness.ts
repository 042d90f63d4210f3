import type { NotificationService, NotificationServiceOptions } from "@belfry/core";
import type { HandlerOptions } from "@belfry/core/http";

/** How a suite wants the contracts mounted. */
export interface Mounting {
  /** The prefix of all paths, for example `/deep/er`. @default "" */
  readonly prefix?: string;
  /** Whether the host's own JSON parser runs before Belfry, if the framework has one. @default false */
  readonly parseFirst?: boolean;
}

/** A server that a suite talks to over real sockets. */
export interface RunningServer {
  /** For example `http://127.0.0.1:40123`, the prefix left out. */
  readonly url: string;
  /** Ends open streams and sockets, and stops listening. */
  close(): Promise<void>;
}

/** The options that a suite needs of a service, besides an empty storage. Pass them on to `NotificationService` unchanged. */
export type ServiceNeeds = Pick<
  NotificationServiceOptions,
  "types" | "logger" | "channels" | "hub" | "clock" | "publicUrl" | "linkSecret" | "directory"
>;

/** The parts of a framework's adapter and a storage that the HTTP suite needs. */
export interface HttpHarness {
  /** Whether the adapter knows the address of whoever asks. @default true */
  readonly knowsPeer?: boolean;
  /**
   * Which tests run: all, or those in which a framework takes part (mounting, one contract's REST, bodies and errors,
   * sockets and streams), for another version of a framework that has them all.
   * @default "everything"
   */
  readonly covers?: "everything" | "framework";
  /** Makes a service on an empty storage. */
  service(needs: ServiceNeeds): Promise<NotificationService>;
  /**
   * Serves the contracts on a free port of the loopback address, through {@link runServer}. Beside Belfry, the host
   * answers `GET /host` and `POST /host/echo` (which sends the JSON it got back) itself, and everything else with 404.
   */
  serve(service: NotificationService, options: HandlerOptions, mounting?: Mounting): Promise<RunningServer>;
}
