import { defineTypes } from "@belfry/core";

/** What your application tells its users of. With `data`, a schema of zod or the like, wrong data does not compile. */
export const types = defineTypes({
  welcome: { label: "Welcome", title: "Welcome", message: "Good to have you here." },
});
