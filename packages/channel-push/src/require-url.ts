import { BelfryError } from "@belfry/core";

/** Reads the URL of a provider. @throws BelfryError `CONFIGURATION` for what is none */
export function requireUrl(whose: string, url: unknown): URL {
  const parsed = typeof url === "string" ? URL.parse(url) : null;
  if (parsed === null || (parsed.protocol !== "https:" && parsed.protocol !== "http:")) {
    throw new BelfryError("CONFIGURATION", `${whose} must begin with https://`);
  }
  return parsed;
}
