/** The HTTP status of each code, where a contract does not prescribe another. */
export const HTTP_STATUS = {
  CHANNEL_NOT_CONFIGURED: 409,
  CONFIGURATION: 500,
  CONTENT_TOO_LONG: 422,
  FORBIDDEN: 403,
  IDEMPOTENCY_KEY_REUSED: 422,
  INVALID_CURSOR: 400,
  INVALID_IDEMPOTENCY_KEY: 400,
  INVALID_JSON: 400,
  INVALID_RECIPIENTS: 422,
  INVALID_STATE: 409,
  METHOD_NOT_ALLOWED: 405,
  NOT_FOUND: 404,
  PAYLOAD_TOO_LARGE: 413,
  RATE_LIMITED: 429,
  RENDERING_FAILED: 500,
  SERVICE_STOPPED: 503,
  STORAGE_FAILED: 500,
  STORAGE_UNAVAILABLE: 503,
  UNAUTHENTICATED: 401,
  UNKNOWN_TYPE: 422,
  UNSUPPORTED_MEDIA_TYPE: 415,
  VALIDATION_ERROR: 422,
  WRONG_TRANSACTION: 500,
} as const satisfies Readonly<Record<string, number>>;

/** Every code a {@link BelfryError} can have. The list is closed: a `switch` over it can be exhaustive. */
export type BelfryErrorCode = keyof typeof HTTP_STATUS;

/** One problem of an input. */
export interface Issue {
  /** Where in the input, for example `["data", "related_order_id"]`. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** A short machine-readable kind, for example `missing` or `too_long`. */
  readonly type: string;
}

/** Options of a {@link BelfryError}, beside its code and message. */
export interface BelfryErrorOptions {
  readonly cause?: unknown;
  /** The issues of the input, field by field; only for `VALIDATION_ERROR`. */
  readonly issues?: readonly Issue[];
  /**
   * Facts for machines, by code: `INVALID_RECIPIENTS` {invalid, valid, channels}, `CONTENT_TOO_LONG` {max_length, current_length},
   * `CHANNEL_NOT_CONFIGURED` {channel}, `RATE_LIMITED` {retry_after_ms}, `RENDERING_FAILED` {type, member},
   * `VALIDATION_ERROR` of a request {part}, `UNSUPPORTED_MEDIA_TYPE` of a body that is declared as no JSON {media_type}, `STORAGE_UNAVAILABLE` for one tenant alone, while it moves {concerns}.
   */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * The one error class Belfry throws. `code` says which of a closed list of things happened, `message` says what
 * happened, with which value, and what to do about it.
 *
 * @example
 * ```ts
 * try {
 *   await notifications.create({ to: "", title: "Hello" });
 * } catch (error) {
 *   if (error instanceof BelfryError && error.retryable) {
 *     // The database was out of reach: the same call may succeed later.
 *   }
 * }
 * ```
 */
export class BelfryError extends Error {
  override readonly name = "BelfryError";
  readonly code: BelfryErrorCode;
  /**
   * The HTTP status that Belfry's contracts answer for the code, where none prescribes another. Express, Fastify and Koa answer it where a
   * route of the host's throws the error.
   */
  readonly status: (typeof HTTP_STATUS)[BelfryErrorCode];
  readonly issues: readonly Issue[];
  readonly details: Readonly<Record<string, unknown>>;

  /** Errors of another copy of this package count too: a host may load it as ESM and as CommonJS at once. */
  static override [Symbol.hasInstance](value: unknown): value is BelfryError {
    return value instanceof Error && value.name === "BelfryError";
  }

  constructor(code: BelfryErrorCode, message: string, options: BelfryErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    // A member of its own, not a getter: Koa sets it.
    this.status = HTTP_STATUS[code];
    this.issues = options.issues ?? [];
    this.details = options.details ?? {};
  }

  /** True when the same call may succeed later: nothing was refused, the database was out of reach. */
  get retryable(): boolean {
    return this.code === "STORAGE_UNAVAILABLE";
  }
}

/** Whether the same call may succeed later. */
export function isRetryable(error: unknown): boolean {
  return error instanceof BelfryError && error.retryable;
}

/** Whether an error says that one tenant cannot be written at the moment, as while it moves to another database, and nothing about others. */
export function concernsOneTenant(error: unknown): boolean {
  return error instanceof BelfryError && error.details.concerns === "tenant";
}

/** The text of an error that code of the host's own threw, which may be anything. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
