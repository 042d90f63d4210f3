/** The log of Belfry: an object with pino's methods. It never receives credentials, message texts or addresses. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Warnings and errors on the console, nothing else: the default of a library that a host did not give a logger. */
export const consoleLogger: Logger = {
  debug() {},
  info() {},
  warn(fields, message) {
    console.warn(...lineOf(fields, message));
  },
  error(fields, message) {
    console.error(...lineOf(fields, message));
  },
};

/** A message with its fields, without them where there are none. */
function lineOf(fields: object, message: string): readonly [string, object?] {
  return Object.keys(fields).length === 0 ? [message] : [message, fields];
}
