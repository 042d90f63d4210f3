import { Agent, type ClientRequestArgs } from "node:http";
import { connect as connectTcp, type LookupFunction, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { ResolvedAddress } from "./resolve.ts";

/** The target of a connection. */
export interface ConnectTarget {
  /** The URL's name, for the server's certificate. Connect only to `addresses`; do not resolve this name again. */
  readonly hostname: string;
  readonly port: number;
  /** The checked addresses, in the order in which to try them; at least one. */
  readonly addresses: readonly ResolvedAddress[];
}

/** Opens a TCP connection. The client adds TLS if the URL asks for it. */
export type Connect = (target: ConnectTarget) => Socket;

/** Options of one request, with the addresses it may use. */
export interface PinnedRequestArgs extends ClientRequestArgs {
  readonly pinned: ConnectTarget;
}

/** How long an idle connection is kept for the next request: shorter than the 5 s after which Node's own server ends it. */
const IDLE_MS = 4_000;

/**
 * Keeps connections for reuse and opens them only to checked addresses. Requests with the same host name and port share
 * an idle connection, which holds no process open.
 */
export class PinnedAgent extends Agent {
  readonly #tls: { readonly ca?: string | string[] } | null;
  readonly #connect: Connect;

  /** `tls: null` makes plain connections; `keepAlive: false` uses each for one request. */
  constructor(options: {
    readonly tls: { readonly ca?: string | string[] } | null;
    readonly connect: Connect;
    readonly keepAlive: boolean;
  }) {
    super({ keepAlive: options.keepAlive, maxFreeSockets: 32, timeout: IDLE_MS });
    this.#tls = options.tls;
    this.#connect = options.connect;
  }

  /** Opens the connection for one request. */
  override createConnection(options: PinnedRequestArgs): Duplex {
    const { pinned } = options;
    const socket = this.#connect(pinned);
    if (!this.#tls) {
      return socket;
    }
    const isLiteral = pinned.addresses[0]?.address === pinned.hostname;
    // Node checks the certificate against `servername`, or for an address, which SNI cannot carry, against `host`.
    return connectTls({ ...this.#tls, socket, host: pinned.hostname, ...(isLiteral ? {} : { servername: pinned.hostname }) });
  }
}

/** Opens a socket to the first of the addresses that answers, trying IPv4 and IPv6 as Node does. */
export const connectDirectly: Connect = ({ hostname, port, addresses }) => {
  const lookup: LookupFunction = (_hostname, options, callback) => {
    if (options.all) {
      callback(null, [...addresses]);
      return;
    }
    const first = addresses[0];
    callback(first ? null : new Error("no address"), first?.address ?? "", first?.family ?? 4);
  };
  // For a literal host Node skips `lookup`, but that literal is the checked address.
  return connectTcp({ host: hostname, port, lookup, autoSelectFamily: true, noDelay: true });
};
