import { native } from "@belfry/core/contracts";

/**
 * How the service is mounted. Users are who the JWT of a request says, which your sign-in makes: its `sub`, signed with JWT_SECRET of at least 32
 * characters. If a cookie of yours says it, give a function for `auth` instead: see "A function of your own" in docs/guides/authentication.md.
 */
export const handler = { contracts: [native()], auth: { jwt: { secret: process.env.JWT_SECRET ?? "" } } };
