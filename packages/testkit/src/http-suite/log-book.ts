import { inspect } from "node:util";
import type { Logger } from "@belfry/core";

/** Keeps the log for a test. */
export class LogBook implements Logger {
  /** Warnings and errors. */
  readonly complaints: string[] = [];
  /** Everything, errors with their causes included. */
  text = "";

  debug(fields: object, message: string): void {
    this.#add(fields, message);
  }

  info(fields: object, message: string): void {
    this.#add(fields, message);
  }

  warn(fields: object, message: string): void {
    this.complaints.push(this.#add(fields, message));
  }

  error(fields: object, message: string): void {
    this.complaints.push(this.#add(fields, message));
  }

  #add(fields: object, message: string): string {
    const line = `${message} ${inspect(fields, { depth: 10 })}`;
    this.text += `${line}\n`;
    return line;
  }
}
