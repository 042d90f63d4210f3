/** Why something failed. */
export interface ClientError {
  /** The server's code, such as `VALIDATION_ERROR`; `UNREACHABLE` if there was no answer, `QUEUE_FULL` if too many changes wait. */
  readonly code: string;
  /** What happened, and what to do. */
  readonly message: string;
  /** The HTTP status; 0 if there was no answer. */
  readonly status: number;
  /** For `VALIDATION_ERROR`: what is wrong about the input. */
  readonly issues?: readonly { readonly path: readonly (string | number)[]; readonly message: string; readonly type: string }[];
}

/** What a call came to. Calls of the client do not reject. */
export type Result<Value = unknown> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: ClientError };

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

/** An answer that is none, as an exception inside the client. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly error: ClientError;

  constructor(error: ClientError) {
    super(error.message);
    this.error = error;
  }

  /** Whether the server did not refuse the request: asking again may help. */
  get isPassing(): boolean {
    const { status } = this.error;
    return status < 400 || status >= 500 || [401, 408, 429].includes(status);
  }
}

/** What an exception says. */
export function errorOf(thrown: unknown): ClientError {
  return thrown instanceof RequestError ? thrown.error : { code: "UNREACHABLE", message: String(thrown), status: 0 };
}

/** Turns an exception into a result. */
export function resultOf<Value>(promise: Promise<Value>): Promise<Result<Value>> {
  return promise.then(
    (value) => ({ ok: true, value }),
    (thrown: unknown) => ({ ok: false, error: errorOf(thrown) }),
  );
}

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
    const here = typeof location === "undefined" ? undefined : location.href;
    const url = new URL(this.#options.url.replace(/\/$/, "") + path, here);
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
      throw new RequestError({ code: "UNREACHABLE", message: String(thrown), status: 0 });
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
