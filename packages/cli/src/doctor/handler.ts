import { type Check, type Finding, fine } from "./finding.ts";

/** Looks at how the service is mounted: behind which proxies, and for which origins. */
export const lookAtHandler: Check = ({ handler }) => {
  if (handler === null) {
    const message = "How the service is mounted is not known.";
    return [{ level: "note", about: "proxies", message, remedy: "Export the options of the mount as `handler` from belfry.config.ts." }];
  }
  const found: Finding[] = [];
  if (handler.clientAddress === undefined) {
    found.push({
      level: "note",
      about: "proxies",
      message: "Callers are told apart by the address of their connection: behind a proxy on a public address, all of them look like one.",
      remedy: "Behind a proxy, give clientAddress, which reads the header that your proxy sets.",
    });
  }
  if (handler.allowedOrigins === undefined) {
    found.push({
      level: "note",
      about: "origins",
      message: "Pages of any origin may open WebSockets, if they have a credential.",
      remedy: "Name the origins of your front ends in allowedOrigins.",
    });
  }
  return found.length > 0 ? found : [fine("proxies", "The mount says who its callers are, and from which origins they come.")];
};
