import { describe } from "../../foundation/parse-text.ts";

/** The least length of a credential. A shorter one can be guessed. */
const CREDENTIAL_LENGTH = 16;
/** The least number of changes between letters and digits in random text. Names have fewer. */
const RANDOM_CHANGES = 5;

/** The findings in a table of credentials: an error, or a probable mistake. */
export interface TableFindings {
  readonly problem?: string;
  readonly warning?: string;
}

/** Checks a table of credentials that a host wrote. The table's keys are the credentials, even if the host meant its values. */
export function checkCredentialTable(name: "apiKeys" | "tokens", table: unknown): TableFindings {
  if (table === undefined || typeof table === "function") {
    return {};
  }
  const shape = name === "apiKeys" ? '{ "<key>": "<tenant>" }' : '{ "<token>": "<user>" }';
  if (typeof table !== "object" || table === null || Array.isArray(table)) {
    return { problem: `auth.${name} must be a table ${shape}, a Map or a function, is ${describe(table)}` };
  }
  const entries: readonly (readonly [unknown, unknown])[] = table instanceof Map ? [...table] : Object.entries(table);
  if (entries.some(([credential]) => typeof credential !== "string" || credential === "")) {
    return { problem: `auth.${name} has a credential that is no text, or an empty one` };
  }
  const short = entries.filter(([credential]) => (credential as string).length < CREDENTIAL_LENGTH);
  if (short.some(([, found]) => looksRandom(found))) {
    return { problem: `auth.${name} reads as if it were the wrong way round: the credential comes first, ${shape}` };
  }
  return short.length === 0
    ? {}
    : {
        warning: `auth.${name} has ${short.length} credentials of fewer than ${CREDENTIAL_LENGTH} characters: whoever guesses one is let in.`,
      };
}

function looksRandom(found: unknown): boolean {
  if (typeof found !== "string" || found.length < CREDENTIAL_LENGTH) {
    return false;
  }
  return (found.match(/[a-z](?=\d)|\d(?=[a-z])/gi)?.length ?? 0) >= RANDOM_CHANGES;
}
