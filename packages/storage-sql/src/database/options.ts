import { BelfryError, requireOptions } from "@belfry/core";

/** The form of an option in words, and whether a value has it; null if core or nobody checks the option. */
type Check = readonly [form: string, isRight: (value: unknown) => boolean] | null;

/** The checks of options, each by its name. */
export type OptionChecks<Options> = { readonly [Name in keyof Options]-?: Check };

/** An option that is on or off. */
export const SWITCH: Check = ["true or false", (value) => typeof value === "boolean"];

/** Checks the options of a storage, their names and their values. @throws BelfryError `CONFIGURATION` */
export function checkOptions<Options extends object>(taker: string, options: Options, checks: OptionChecks<Options>): void {
  const names = Object.keys(checks) as (keyof Options & string)[];
  requireOptions(taker, options, Object.fromEntries(names.map((name) => [name, true] as const)));
  const wrong = names.find((name) => options[name] !== undefined && checks[name]?.[1](options[name]) === false);
  if (wrong !== undefined) {
    throw new BelfryError("CONFIGURATION", `${taker} takes ${wrong} as ${checks[wrong]?.[0]}.`);
  }
}
