import type { IncomingMessage, ServerResponse } from "node:http";
import type { HandlerOptions } from "../http/handler-options.ts";
import { belowPrefix, encodedPrefix } from "../http/mount-path.ts";
import type { ContractService } from "../http/route.ts";
import { fromNodeRequest, targetOf } from "./http-request.ts";
import { type Mounted, mounted } from "./upgrade.ts";
import { writeResponse } from "./write-response.ts";

/** Answers requests of Node's own server, and of frameworks over it. */
export interface NodeBelfry extends Mounted {
  /**
   * Answers a request whose body nobody has read, and resolves with true once the answer is under way. Resolves with false, and has
   * touched nothing, if no contract has its path, or it is outside of `basePath`: the host answers it then.
   */
  (request: IncomingMessage, response: ServerResponse): Promise<boolean>;
}

/**
 * Mounts Belfry's contracts into a server of `node:http`, or into a framework that hands out Node's own request and response.
 *
 * @throws BelfryError `CONFIGURATION` for authentication that cannot work
 * @example
 * ```ts
 * const belfry = nodeBelfry(notifications, { contracts: [native()], auth: { jwt: { secret } } });
 * const server = createServer(async (request, response) => {
 *   if (!(await belfry(request, response))) {
 *     response.writeHead(404).end();
 *   }
 * });
 * server.on("upgrade", belfry.upgrade);
 * ```
 */
export function nodeBelfry(service: ContractService, options: HandlerOptions): NodeBelfry {
  const mount = mounted(service, options);
  const mountPath = encodedPrefix(options.basePath ?? "");
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    const url = belowPrefix(targetOf(request.url ?? "/"), mountPath);
    const found = url === null ? null : await mount.handler.handle(fromNodeRequest(request, { url, mountPath }));
    if (found !== null) {
      writeResponse(response, found);
    }
    return found !== null;
  };
  return Object.assign(answer, mount);
}
