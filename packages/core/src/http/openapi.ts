import type { z } from "zod";
import { createDocument, type ZodOpenApiObject, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from "zod-openapi";
import type { Contract } from "./contract.ts";
import type { ResponseDoc, Route } from "./route.ts";

const SECURITY_SCHEMES = {
  "api-key": { type: "apiKey", in: "header", name: "X-API-Key" },
  bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
  token: { type: "apiKey", in: "header", name: "Authorization", description: "The word Token, a space, and the token." },
} as const;

/** Makes the OpenAPI 3.1 document of a contract from its routes. */
export function openapiDocument(contract: Contract): object {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of contract.routes) {
    const path = route.path.replace("*}", "}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  const secured = contract.credential === "open" ? null : contract.credential;
  const document: ZodOpenApiObject = {
    openapi: "3.1.0",
    info: {
      title: contract.title,
      version: "1.0.0",
      description: describe(contract),
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: secured ? [{ [secured]: [] }] : [],
    paths,
    ...(secured ? { components: { securitySchemes: { [secured]: SECURITY_SCHEMES[secured] } } } : {}),
  };
  return createDocument(document);
}

function describe(contract: Contract): string {
  const sockets = contract.sockets.map((socket) => `WebSocket \`${socket.path}\`: ${socket.summary}`);
  return ["Every path answers with and without a trailing slash.", ...sockets].join("\n\n");
}

function operation(route: Route): ZodOpenApiOperationObject {
  return {
    operationId: route.operationId,
    summary: route.summary,
    ...(route.isPublic ? { security: [] } : {}),
    requestParams: {
      ...(route.params ? { path: route.params as unknown as z.ZodObject } : {}),
      ...(route.query ? { query: route.query as unknown as z.ZodObject } : {}),
    },
    ...(route.body
      ? {
          requestBody: {
            required: !route.bodyOptional,
            content: { "application/json": { schema: route.body as unknown as z.ZodType } },
          },
        }
      : {}),
    responses: Object.fromEntries(Object.entries(route.responses).map(([status, doc]) => [status, responseObject(doc)])),
  };
}

function responseObject({ description, schema, contentType = "application/json" }: ResponseDoc) {
  return schema ? { description, content: { [contentType]: { schema } } } : { description };
}
