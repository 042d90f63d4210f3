export { type ExpressBelfry, type ExpressBelfryOptions, expressBelfry } from "./express-belfry.ts";
