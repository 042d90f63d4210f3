export { handler } from "./belfry.ts";
export { notifications } from "./notifications.ts";
