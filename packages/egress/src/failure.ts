import type { EgressFailure, EgressFailureCode } from "./egress.ts";

const FAILURES: Readonly<Record<EgressFailureCode, { readonly transient: boolean; readonly error: string }>> = {
  invalid_url: { transient: false, error: "the URL is not one that may be called" },
  blocked_address: { transient: false, error: "the host is at an address that may not be called" },
  unreachable: { transient: true, error: "the host could not be reached" },
  tls_failed: { transient: true, error: "no TLS connection that can be trusted could be made to the host" },
  timeout: { transient: true, error: "the host did not answer in time" },
  aborted: { transient: true, error: "the request was ended before the host answered" },
  connection_lost: { transient: true, error: "the connection broke before the host had answered" },
  bad_answer: { transient: true, error: "the host's answer is not HTTP that can be read" },
  too_large: { transient: false, error: "the host's answer is larger than allowed" },
};

/** The failure with this code. */
export function failure(code: EgressFailureCode): EgressFailure {
  return { ok: false, code, ...FAILURES[code] };
}

/** Turns an error of the connection, of TLS or of the HTTP parser into a failure. */
export function failureOfError(error: unknown): EgressFailure {
  const code = errorCode(error);
  if (code.startsWith("HPE_")) {
    return failure("bad_answer");
  }
  if (code.startsWith("ERR_TLS") || code.startsWith("ERR_SSL") || CERTIFICATE_CODES.test(code)) {
    return failure("tls_failed");
  }
  return failure(code === "ECONNRESET" || code === "EPIPE" ? "connection_lost" : "unreachable");
}

const CERTIFICATE_CODES = /^(?:CERT_|CRL_|DEPTH_|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|EPROTO$)/;

/** The `code` of an error thrown by Node, or an empty text. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
