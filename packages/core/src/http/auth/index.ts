export type { AuthFunction, AuthOptions, CredentialLookup, KeyClient, TokenUser } from "./authenticator.ts";

export type { JwtOptions, PublicKeySet } from "./jwt.ts";
