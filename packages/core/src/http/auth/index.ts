export type { AuthFunction, AuthOptions, KeyClient, TokenUser } from "./authenticator.ts";
export type { CredentialLookup } from "./digest.ts";
export type { JwtOptions } from "./jwt.ts";
