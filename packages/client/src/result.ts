/** Why something failed. */
export interface ClientError {
  /**
   * The server's code, such as `VALIDATION_ERROR`; `UNREACHABLE` if there was no answer, `QUEUE_FULL` if too many changes wait, `NO_SOCKETS` if the
   * server opens no WebSockets and no other transport may be tried.
   */
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

/** An answer that is none, as an exception inside the client. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly error: ClientError;

  constructor(error: ClientError) {
    super(error.message);
    this.error = error;
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
