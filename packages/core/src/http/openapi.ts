import {
  createDocument,
  type ZodOpenApiObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiParameters,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
} from "zod-openapi";
import type { Contract } from "./contract.ts";
import { given, type ResponseDoc, type Route } from "./route.ts";

const SECURITY_SCHEMES = {
  "api-key": { type: "apiKey", in: "header", name: "X-API-Key" },
  bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
  token: { type: "apiKey", in: "header", name: "Authorization", description: "The word Token, a space, and the token." },
} as const;

/** The errors that operations share: the name of each in the document, and its description. */
const SHARED_ERRORS = {
  400: ["BadRequest", "The body is not JSON, or a header is not valid"],
  401: ["Unauthorized", "There is no valid credential"],
  403: ["Forbidden", "The caller may not do this"],
  405: ["MethodNotAllowed", "The path does not have this method; Allow lists those it has"],
  413: ["PayloadTooLarge", "The body is too large"],
  415: ["UnsupportedMediaType", "The body is not declared as application/json"],
  429: ["TooManyRequests", "Too many requests; Retry-After says when to try again"],
  500: ["InternalServerError", "The server could not answer; its log says why"],
  503: ["ServiceUnavailable", "The server cannot answer at the moment"],
} as const;

type SharedStatus = keyof typeof SHARED_ERRORS;
type SharedErrors = Readonly<Record<SharedStatus, ZodOpenApiResponseObject>>;

/**
 * Makes the OpenAPI 3.1 document of a contract from its routes. The errors that follow from the contract and from a route's
 * shape, such as 401 and 413, need not be declared by the route.
 */
export function openapiDocument(contract: Contract): object {
  const paths: ZodOpenApiPathsObject = {};
  const errors = sharedErrors(contract);
  for (const route of contract.routes) {
    const path = route.path.replace("*}", "}");
    const shared = sharedStatuses(contract, route).map((status) => [status, errors[status]] as const);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, Object.fromEntries(shared)) };
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
  const sockets = contract.sockets?.map((socket) => `WebSocket \`${socket.path}\`: ${socket.summary}`);
  return ["Every path answers with and without a trailing slash.", ...(sockets ?? [])].join("\n\n");
}

function sharedErrors({ errorSchema, errorType }: Contract): SharedErrors {
  const responses = Object.entries(SHARED_ERRORS).map(([status, [id, description]]) => {
    return [status, { id, ...responseObject({ description, ...given({ schema: errorSchema, contentType: errorType }) }) }];
  });
  return Object.fromEntries(responses) as SharedErrors;
}

function sharedStatuses({ credential, principal }: Contract, { isPublic, isRateLimited, body }: Route): readonly SharedStatus[] {
  const isSecured = credential !== "open" && !isPublic;
  return [
    405,
    500,
    503,
    ...(isSecured ? ([401] as const) : []),
    ...(isSecured || isRateLimited ? ([429] as const) : []),
    ...(principal === "client" && !isPublic ? ([403] as const) : []),
    ...(body ? ([400, 413, 415] as const) : []),
  ];
}

function operation(route: Route, shared: Readonly<Record<string, ZodOpenApiResponseObject>>): ZodOpenApiOperationObject {
  return {
    operationId: route.operationId,
    summary: route.summary,
    ...(route.isPublic ? { security: [] } : {}),
    requestParams: given({ path: route.params, query: route.query, header: route.headers }) as ZodOpenApiParameters,
    ...(route.body && { requestBody: { required: !route.bodyOptional, content: { "application/json": { schema: route.body } } } }),
    responses: {
      ...shared,
      ...Object.fromEntries(Object.entries(route.responses).map(([status, doc]) => [status, responseObject(doc)])),
    },
  };
}

function responseObject({ description, schema, contentType = "application/json" }: ResponseDoc) {
  return schema ? { description, content: { [contentType]: { schema } } } : { description };
}
