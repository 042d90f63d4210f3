import type { Server } from "node:http";
import type { Side, Work } from "../harness/row.ts";
import { LoadProcess } from "../load/load-process.ts";
import { closeServer, portOf } from "./http-servers.ts";

/** A slice asks no fewer requests than this, so that starting and ending it costs next to nothing. */
const STEP = 160;

/** A server to be asked. */
export interface HttpSide {
  readonly name: string;
  readonly server: Server;
  /** In turn; after the last one the first one follows. */
  readonly requests: readonly HttpRequestLine[];
  /** @default 200 */
  readonly status?: number;
  /** What else it has done so far. */
  work?(): Work | Promise<Work>;
  /** Whether its answers have the same bytes as Belfry's. @default false */
  readonly hasSameBytes?: boolean;
}

/** A request without a body. */
export interface HttpRequestLine {
  readonly method: string;
  readonly path: string;
  readonly userId: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Servers of this process that are asked by another one. */
export class HttpSides {
  readonly sides: readonly Side[];
  readonly #servers: readonly Server[];
  readonly #load: LoadProcess;

  private constructor(load: LoadProcess, given: readonly HttpSide[]) {
    this.#load = load;
    this.#servers = given.map(({ server }) => server);
    this.sides = given.map((one) => this.#side(one));
  }

  static async open(given: readonly HttpSide[]): Promise<HttpSides> {
    const load = new LoadProcess("./http-load.ts");
    for (const { name, server, requests, status = 200 } of given) {
      await load.ask({ define: { name, port: portOf(server), status, requests: requests.map(textOf) } });
    }
    return new HttpSides(load, given);
  }

  close(): void {
    this.#load.stop();
    this.#servers.forEach(closeServer);
  }

  #side({ name, server, requests, work, hasSameBytes = false }: HttpSide): Side {
    let bytes = 0;
    const side: Side = {
      name,
      step: STEP,
      run: async (count) => {
        const answer = await this.#load.ask({ ask: { name, count } });
        bytes += answer.bytes ?? 0;
      },
      work: async () => ({ ...(hasSameBytes ? { bytes } : {}), ...(await work?.()) }),
    };
    return hasSameBytes ? { ...side, sample: () => answerOf(server, requests[0]) } : side;
  }
}

/** The body that a request gets. Checksums of cursors differ. */
async function answerOf(server: Server, request: HttpRequestLine | undefined): Promise<string> {
  const { method = "GET", path = "", userId = "", headers = {} } = request ?? {};
  const response = await fetch(`http://127.0.0.1:${portOf(server)}${path}`, { method, headers: { "x-user": userId, ...headers } });
  return (await response.text()).replace(/("next_cursor":"\w+-)\w+/, "$1");
}

function textOf({ method, path, userId, headers = {} }: HttpRequestLine): string {
  const more = Object.entries({ "x-user": userId, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\n${more.join("")}\r\n`;
}
