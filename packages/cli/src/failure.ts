import { BelfryError, type BelfryErrorCode } from "@belfry/core";
import { CommanderError } from "commander";
import { EXIT, type ExitCode } from "./exit-codes.ts";

/** A command that cannot be done: says what, with which value, and what to do. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** A failure of what was typed. */
export function wrongUsage(message: string): Failure {
  return new Failure(EXIT.usage, message);
}

/** What is reported of an error. */
export interface Report {
  readonly exitCode: ExitCode;
  /** For machines: a code of Belfry's errors, or `USAGE`, `FAILED`. */
  readonly code: string;
  readonly message: string;
}

/** Codes that say that what was asked for cannot be: the same call fails again. */
const WRONG_INPUT: ReadonlySet<BelfryErrorCode> = new Set<BelfryErrorCode>([
  "CHANNEL_NOT_CONFIGURED",
  "CONFIGURATION",
  "CONTENT_TOO_LONG",
  "IDEMPOTENCY_KEY_REUSED",
  "INVALID_CURSOR",
  "INVALID_IDEMPOTENCY_KEY",
  "INVALID_JSON",
  "INVALID_RECIPIENTS",
  "UNKNOWN_TYPE",
  "VALIDATION_ERROR",
]);

/** Says how a command that threw ends. */
export function reportOf(error: unknown): Report {
  if (error instanceof BelfryError) {
    return { exitCode: exitCodeOf(error), code: error.code, message: withoutPasswords(error.message) };
  }
  if (error instanceof CommanderError) {
    const isMissing = error.code === "commander.help";
    // Its own words begin so.
    const message = isMissing ? "A command is missing. See above, or run belfry --help." : error.message.replace(/^error: /, "");
    return { exitCode: EXIT.usage, code: "USAGE", message };
  }
  if (error instanceof Failure) {
    return { exitCode: error.exitCode, code: error.exitCode === EXIT.usage ? "USAGE" : "FAILED", message: withoutPasswords(error.message) };
  }
  return { exitCode: EXIT.failed, code: "FAILED", message: withoutPasswords(error instanceof Error ? error.message : String(error)) };
}

function exitCodeOf({ code }: BelfryError): ExitCode {
  if (code === "STORAGE_UNAVAILABLE") {
    return EXIT.unreachable;
  }
  return WRONG_INPUT.has(code) ? EXIT.usage : EXIT.failed;
}

/** Takes the passwords out of URLs: a driver may repeat what it was given. */
export function withoutPasswords(text: string): string {
  return text.replaceAll(/\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s@/]*@/gi, "$1@").replaceAll(/\b(password=)[^\s&]+/gi, "$1…");
}
