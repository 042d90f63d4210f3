import { mayReach } from "./address-rules.ts";
import { parseTarget, type Target } from "./check-url.ts";
import { connectDirectly, PinnedAgent } from "./connect.ts";
import type { Egress, EgressFailure, EgressOptions, EgressRequest } from "./egress.ts";
import { exchange } from "./exchange.ts";
import { failure } from "./failure.ts";
import { type Resolve, type ResolvedAddress, systemResolve } from "./resolve.ts";

const DEFAULT_TIMEOUT_MS = 15_000;

/**
 * Makes the guarded client. It opens no connection before the first request, and its idle connections hold no process
 * open, so there is nothing to close.
 *
 * @throws an Error that names the known options, for one that is not known
 * @example
 * ```ts
 * const egress = createEgress();
 * egress.checkUrl("http://169.254.169.254/"); // why it is refused
 * const result = await egress.send("https://hooks.example.com/in", { method: "POST", body: "{}" });
 * ```
 */
export function createEgress(options: EgressOptions = {}): Egress {
  checkOptions(options);
  const allowPrivate = options.allowPrivate ?? false;
  const resolve = options.resolve ?? systemResolve;
  const agents = makeAgents(options);
  const targets = new Targets(allowPrivate);
  return {
    checkUrl(url) {
      const target = targets.of(url);
      return "refused" in target ? target.refused : null;
    },
    async send(url, request) {
      const target = targets.of(url);
      if ("refused" in target) {
        return failure("invalid_url");
      }
      using deadline = new Deadline(request);
      const { signal } = deadline;
      const addresses = await checkedAddresses({ target, resolve, allowPrivate, signal });
      const result = "ok" in addresses ? addresses : await exchange({ target, addresses, request, signal, ...agents(target.tls) });
      return result.ok || !signal.aborted ? result : failure(deadline.isOver ? "timeout" : "aborted");
    },
  } satisfies Egress;
}

/** How many accepted URLs an {@link Egress} remembers, each with its parts. */
const MAX_TARGETS = 500;

/** Splits URLs into their parts. The same ones are called again and again: those that were accepted are kept, until they are many. */
class Targets {
  readonly #allowPrivate: boolean;
  readonly #accepted = new Map<string, Target>();

  constructor(allowPrivate: boolean) {
    this.#allowPrivate = allowPrivate;
  }

  of(url: string): ReturnType<typeof parseTarget> {
    const known = this.#accepted.get(url);
    if (known !== undefined) {
      return known;
    }
    const target = parseTarget(url, this.#allowPrivate);
    if (!("refused" in target)) {
      if (this.#accepted.size === MAX_TARGETS) {
        this.#accepted.clear();
      }
      this.#accepted.set(url, target);
    }
    return target;
  }
}

/** Ends a request in time, or with its signal. Its timer ends with the request, unlike that of `AbortSignal.timeout`. */
class Deadline implements Disposable {
  readonly #ends = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #given: AbortSignal | undefined;
  readonly #onAbort = () => this.#ends.abort(this.#given?.reason);
  #isOver = false;

  constructor({ timeoutMs = DEFAULT_TIMEOUT_MS, signal }: Pick<EgressRequest, "timeoutMs" | "signal">) {
    this.#timer = setTimeout(() => {
      this.#isOver = !this.signal.aborted;
      this.#ends.abort();
    }, timeoutMs);
    this.#timer.unref();
    this.#given = signal;
    signal?.addEventListener("abort", this.#onAbort);
    if (signal?.aborted) {
      this.#onAbort();
    }
  }

  get signal(): AbortSignal {
    return this.#ends.signal;
  }

  /** Whether the time ended the request. */
  get isOver(): boolean {
    return this.#isOver;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#given?.removeEventListener("abort", this.#onAbort);
  }
}

const OPTIONS: Readonly<Record<keyof EgressOptions, true>> = { allowPrivate: true, ca: true, resolve: true, connect: true };

function checkOptions(options: EgressOptions): void {
  const known = Object.keys(OPTIONS);
  const isObject = typeof options === "object" && options !== null && !Array.isArray(options);
  const stranger = isObject ? Object.keys(options).find((name) => !known.includes(name)) : typeof options;
  if (stranger !== undefined) {
    throw new Error(`createEgress takes ${isObject ? "" : "an object of "}${known.join(", ")}; got ${stranger}.`);
  }
  const { ca } = options;
  if (ca !== undefined && typeof ca !== "string" && !(Array.isArray(ca) && ca.every((one) => typeof one === "string"))) {
    throw new Error("createEgress takes as ca a text in PEM, or a list of them.");
  }
}

function makeAgents(options: EgressOptions) {
  const connect = options.connect ?? connectDirectly;
  const tls = options.ca === undefined ? {} : { ca: typeof options.ca === "string" ? options.ca : [...options.ca] };
  const pair = (security: typeof tls | null) => ({
    agent: new PinnedAgent({ tls: security, connect, keepAlive: true }),
    freshAgent: new PinnedAgent({ tls: security, connect, keepAlive: false }),
  });
  const secure = pair(tls);
  const plain = pair(null);
  return (isTls: boolean) => (isTls ? secure : plain);
}

interface LookUp {
  readonly target: Target;
  readonly resolve: Resolve;
  readonly allowPrivate: boolean;
  readonly signal: AbortSignal;
}

/** Looks the host up once and checks every answer: one address that may not be reached refuses the request. */
async function checkedAddresses({ target, resolve, allowPrivate, signal }: LookUp): Promise<readonly ResolvedAddress[] | EgressFailure> {
  if (target.isLiteral) {
    return [{ address: target.hostname, family: target.hostname.includes(":") ? 6 : 4 }];
  }
  const answers = await unlessAborted(signal, resolve(target.hostname)).catch(() => []);
  if (answers.length === 0) {
    return failure("unreachable");
  }
  return answers.every(({ address }) => mayReach(address, allowPrivate)) ? answers : failure("blocked_address");
}

/** Waits for `work`, which cannot be aborted, until `signal` aborts. */
function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((settle, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(settle, reject).finally(() => signal.removeEventListener("abort", onAbort));
    if (signal.aborted) {
      onAbort();
    }
  });
}
