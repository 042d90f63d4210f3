import { type ClientError, errorOf, RequestError, type Result, resultOf } from "./result.ts";

/** The options of requests. */
export interface HttpOptions {
  /** Where the contract is, such as `/api/belfry/v1`: absolute, or relative to the page. */
  readonly url: string;
  /**
   * Gives a token of the signed-in user. It is asked when none is known, and again after the server refused one.
   *
   * @default no token is sent: cookies identify the user
   */
  readonly getToken?: () => string | Promise<string>;
  /** Whether cookies are sent, as `fetch` has it. @default "same-origin" */
  readonly credentials?: "omit" | "same-origin" | "include";
  /** Headers of each request, such as that of a token against forged requests. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sends the requests. @default the runtime's own */
  readonly fetch?: typeof fetch;
}

/** One request. */
export interface Asking {
  readonly method?: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** How long an answer may take. */
const PATIENCE_MS = 30_000;

/** Asks the server for JSON, and never rejects. */
export type Ask = <Answer>(path: string, asking?: Asking) => Promise<Result<Answer>>;

/** Sends requests to the contract, with a token that it renews. */
export class Http {
  readonly #options: HttpOptions;
  /** The token, or the wait for it; all requests share it. */
  #token: Promise<string> | undefined;

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /** The address of a path. */
  url(path: string, query: Asking["query"] = {}): URL {
    const url = new URL(this.#options.url.replace(/\/$/, "") + path, globalThis.location?.href);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) {
        url.searchParams.set(name, String(value));
      }
    }
    return url;
  }

  /** Asks for JSON. @throws RequestError */
  async json<Answer>(path: string, asking: Asking = {}): Promise<Answer> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await this.ask(path, { signal, ...asking });
    return (response.status === 204 ? undefined : await response.json()) as Answer;
  }

  /** Asks for JSON, and never rejects. */
  result<Answer>(path: string, asking: Asking = {}): Promise<Result<Answer>> {
    return resultOf(this.json<Answer>(path, asking));
  }

  /** Asks for a response with a status of success, or 304. With a token that is not valid any more, it asks for a new one. @throws RequestError */
  async ask(path: string, asking: Asking = {}): Promise<Response> {
    const token = this.#tokenNow();
    const response = await this.#send(path, asking, token);
    if (response.status !== 401 || token === undefined) {
      return requireSuccess(response);
    }
    await response.body?.cancel();
    // Another request may have asked for a new one meanwhile.
    this.#token = this.#token === token ? undefined : this.#token;
    return requireSuccess(await this.#send(path, asking, this.#tokenNow()));
  }

  #tokenNow(): Promise<string> | undefined {
    const { getToken } = this.#options;
    this.#token ??= getToken && (async () => getToken())();
    return this.#token;
  }

  async #send(path: string, asking: Asking, token: Promise<string> | undefined): Promise<Response> {
    const { method = "GET", query, body, headers, signal } = asking;
    const { credentials = "same-origin", fetch: send = fetch } = this.#options;
    try {
      const authorization = token && { authorization: `Bearer ${await this.#known(token)}` };
      const type = body === undefined ? {} : { "content-type": "application/json" };
      return await send(this.url(path, query), {
        method,
        credentials,
        headers: { ...this.#options.headers, ...authorization, ...type, ...headers },
        body: body === undefined ? null : JSON.stringify(body),
        signal: signal ?? null,
      });
    } catch (thrown) {
      throw new RequestError(errorOf(thrown));
    }
  }

  /** The token. One that could not be had is asked for again by the next request. */
  async #known(token: Promise<string>): Promise<string> {
    try {
      return await token;
    } catch (thrown) {
      this.#token = undefined;
      throw thrown;
    }
  }
}

async function requireSuccess(response: Response): Promise<Response> {
  const { status } = response;
  if (response.ok || status === 304) {
    return response;
  }
  // Whatever stands between the client and the server may answer with something that is no problem.
  const problem = (await response.json().catch(() => ({}))) as { code?: string; detail?: string; issues?: ClientError["issues"] };
  const { code = `HTTP_${status}`, detail = `The server answered with the status ${status}.`, issues } = problem;
  throw new RequestError({ code, message: detail, status, ...(issues === undefined ? {} : { issues }) });
}

/** Whether the server refused the request, so that to ask again is no help. */
export function isRefusal({ status }: ClientError): boolean {
  return status >= 400 && status < 500 && ![401, 408, 429].includes(status);
}
