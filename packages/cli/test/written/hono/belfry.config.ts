export { handler } from "./belfry-options.ts";
export { notifications } from "./notifications.ts";
