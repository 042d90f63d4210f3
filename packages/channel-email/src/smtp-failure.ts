import type { DeliveryFailure } from "@belfry/core";
import { enhancedCodeOf, isNoRecipient } from "./refused-recipient.ts";

/** A 5xx to one of these commands is about this mail. An earlier 5xx, to a greeting or a login, is about the connection. */
const MAIL_COMMANDS: ReadonlySet<string> = new Set(["MAIL FROM", "RCPT TO", "DATA"]);

/** Nodemailer's codes for permanent failures that come without an answer from a server. */
const PERMANENT_CODES: ReadonlySet<string> = new Set(["EENVELOPE", "EMESSAGE", "EFILEACCESS", "EURLACCESS", "EMAXRECIPIENTS"]);

/** Texts without hosts and credentials, which the errors' own messages may contain. */
const TEXTS: Readonly<Record<string, string>> = {
  EABORT: "the mail server did not answer in time",
  ETIMEDOUT: "the mail server did not answer in time",
  EAUTH: "the mail server refused the login",
  ENOAUTH: "the mail server refused the login",
  EOAUTH2: "the mail server refused the login",
  ETLS: "no TLS connection could be made to the mail server",
  EREQUIRETLS: "no TLS connection could be made to the mail server",
  ECONNECTION: "the mail server could not be reached, or broke off",
  ESOCKET: "the mail server could not be reached, or broke off",
  EDNS: "the mail server could not be reached, or broke off",
};

/** The engine keeps this many characters of a server's answer. */
const RESPONSE_LENGTH = 1_000;

/** Turns the error of a transport into a failure of the delivery. */
export function failureOf(error: unknown): DeliveryFailure {
  const { code, systemCode, command, responseCode, response } = describeError(error);
  const transient = !isPermanent(code, command, responseCode);
  // What is searched for words is no longer than what is kept: a server may answer with very much.
  const said = oneLine(response ?? "");
  const isHardBounce = !transient && command === "RCPT TO" && isNoRecipient(responseCode, said);
  return {
    ...emailFailure(errorText(code, command, responseCode), transient),
    ...codeOf(responseCode === 0 ? (systemCode ?? code) : [responseCode, enhancedCodeOf(said)].filter(Boolean).join(" ")),
    ...(response !== undefined && { response: said }),
    ...(isHardBounce && { isHardBounce }),
  };
}

/** A failure of this channel. */
export function emailFailure(error: string, transient: boolean): DeliveryFailure {
  return { status: "failed", provider: "smtp", transient, error };
}

/** A server's answer as one line of storable text. */
export function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\s]+/gu, " ")
    .trim()
    .slice(0, RESPONSE_LENGTH)
    .toWellFormed();
}

function isPermanent(code: string, command: string, responseCode: number): boolean {
  if (responseCode === 0) {
    return PERMANENT_CODES.has(code);
  }
  // 503 says that the session was in the wrong state, not that the mail was refused.
  return responseCode >= 500 && responseCode < 600 && responseCode !== 503 && (command === "" || MAIL_COMMANDS.has(command));
}

function errorText(code: string, command: string, responseCode: number): string {
  if (responseCode !== 0 && (command === "" || MAIL_COMMANDS.has(command))) {
    return `the mail server answered ${responseCode}${command === "" ? "" : ` to ${command}`}`;
  }
  return TEXTS[code] ?? `the mail could not be sent${code === "" ? "" : ` (${code})`}`;
}

/** What happened, for the log; the codes of a transport of the host's own may be anything. */
function codeOf(code: string): Pick<DeliveryFailure, "code"> {
  return code === "" ? {} : { code };
}

function describeError(error: unknown) {
  const fields: Readonly<Record<string, unknown>> = error instanceof Error ? { ...error } : {};
  return {
    code: typeof fields.code === "string" ? fields.code : "",
    /** The code of the system, such as ECONNREFUSED, which nodemailer keeps beside its own. */
    systemCode: typeof fields.originalCode === "string" ? fields.originalCode : undefined,
    command: typeof fields.command === "string" ? fields.command : "",
    responseCode: typeof fields.responseCode === "number" ? fields.responseCode : 0,
    response: typeof fields.response === "string" ? fields.response : undefined,
  };
}
