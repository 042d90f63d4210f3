import { lookup } from "node:dns/promises";

/** One answer to a look-up. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Looks up all addresses of a name, in the order in which to try them. It rejects, or gives an empty list, if there are none. */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>;

/** The system's own resolver. */
export const systemResolve: Resolve = async (hostname) => {
  const answers = await lookup(hostname, { all: true, order: "verbatim" });
  return answers.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
};
