/** The environment: an empty variable counts as not set. */
export type Environment = Readonly<Record<string, string>>;

/** The options that all channels share. */
export interface SharedOptions {
  /** Where relative links lead. */
  readonly baseUrl?: string;
  /** Whether private addresses may be reached, and plain http. */
  readonly allowPrivate: boolean;
}

/** What some variables set up together. */
export interface SetUp<Made> {
  /** All of them are needed. */
  readonly needs: readonly string[];
  /** Each of them asks for it. @default those that are needed */
  readonly asks?: readonly string[];
  /** @throws what the channel itself throws for a value that cannot be used */
  make(env: Environment, shared: SharedOptions): Made;
}

/** Whether a variable asks for it. */
export function isAsked({ needs, asks = needs }: SetUp<unknown>, env: Environment): boolean {
  return asks.some((name) => env[name] !== undefined);
}

/** Makes what variables set up. @throws Error that has a fault with the names of the variables, and without their values */
export function made<Made>({ needs }: SetUp<unknown>, env: Environment, make: () => Made): Made {
  const missing = needs.find((name) => env[name] === undefined);
  if (missing !== undefined) {
    const given = needs.filter((name) => env[name] !== undefined);
    throw new Error(`${missing}: is needed beside ${given.join(", ")}.`);
  }
  try {
    return make();
  } catch (cause) {
    throw new Error(`${needs.join(", ")}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Variables whose values an error does not repeat: secrets, and URLs, which may contain a password. */
const UNSHOWN = /SECRET|KEY|URL/;

/** What is wrong with a variable, and its value. */
export function faultOf(name: string, message: string, given: Readonly<Record<string, string | undefined>>): string {
  return `${name}: ${message}${UNSHOWN.test(name) ? "" : `, got ${JSON.stringify(given[name])}`}`;
}
