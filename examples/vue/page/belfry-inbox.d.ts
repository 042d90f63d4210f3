import type { GetToken, NavigateDetail } from "@belfry/element";

/** What the page gives the element, and hears of it. */
interface Inbox {
  readonly $props: {
    readonly user: string;
    readonly layout?: "popover" | "page";
    readonly getToken: GetToken;
    readonly onReceived?: (event: CustomEvent<NavigateDetail["item"]>) => void;
  };
}

declare module "vue" {
  interface GlobalComponents {
    "belfry-inbox": new () => Inbox;
  }
}
