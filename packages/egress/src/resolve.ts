import { lookup } from "node:dns/promises";

/** One answer to a look-up. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Looks a name up: all its addresses, in the order in which to try them. Rejects, or is empty, when there are none. */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>;

/** The system's own resolver. */
export const systemResolve: Resolve = async (hostname) => {
  const answers = await lookup(hostname, { all: true, order: "verbatim" });
  return answers.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
};
