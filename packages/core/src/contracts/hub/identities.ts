import { z } from "zod";
import { jsonObject, text } from "../../http/parameters.ts";
import { defineRoute, type Route } from "../../http/route.ts";
import { errors } from "./failure.ts";
import {
  identitySchema,
  type ListStyle,
  listReply,
  listSchema,
  personName,
  rangeQuery,
  renderIdentity,
  sourceId,
  sourceService,
} from "./schemas.ts";

const BASE = "/identities";

const upsertBody = z
  .object({
    source_service: sourceService,
    source_id: sourceId,
    name: personName,
    metadata: jsonObject("The sender's own; left out, what is known stays").nullish(),
  })
  .meta({ id: "UpsertIdentity" });

const listQuery = z.object({
  name: text({ maxLength: 255, description: "A part of the name, in any letter case" }).optional(),
  source_service: text({ maxLength: 255, description: "Only of this service" }).optional(),
  ...rangeQuery,
});

const upsertRoute = defineRoute({
  method: "POST",
  path: BASE,
  operationId: "upsertIdentity",
  summary: "Create an identity, or update the one of the same service and id there",
  body: upsertBody,
  responses: {
    200: { description: "It was updated", schema: identitySchema },
    201: { description: "It is new", schema: identitySchema },
    ...errors(422),
  },
  async handle({ tenant, body }) {
    const { source_service: source, source_id: id, name, metadata } = body;
    const { identity, isNew } = await tenant.hub.identities.upsert({ source, sourceId: id, name, ...(metadata ? { metadata } : {}) });
    return { status: isNew ? 201 : 200, json: renderIdentity(identity) };
  },
});

const getBySourceRoute = defineRoute({
  method: "GET",
  path: `${BASE}/source/{source_service}/{source_id*}`,
  operationId: "getIdentityBySource",
  summary: "Get the identity of a service's own id",
  params: z.object({ source_service: sourceService, source_id: sourceId }),
  responses: { 200: { description: "The identity", schema: identitySchema }, ...errors(404, 422) },
  async handle({ tenant, params: { source_service: source, source_id: id } }) {
    return { status: 200, json: renderIdentity(await tenant.hub.identities.getBySource(source, id)) };
  },
});

const getRoute = defineRoute({
  method: "GET",
  path: `${BASE}/{identity_id}`,
  operationId: "getIdentity",
  summary: "Get an identity",
  params: z.object({ identity_id: z.string().meta({ description: "The identity's id" }) }),
  responses: { 200: { description: "The identity", schema: identitySchema }, ...errors(404) },
  async handle({ tenant, params: { identity_id: id } }) {
    return { status: 200, json: renderIdentity(await tenant.hub.identities.get(id)) };
  },
});

const deleteRoute = defineRoute({
  method: "DELETE",
  path: `${BASE}/{identity_id}`,
  operationId: "deleteIdentity",
  summary: "Delete an identity; its sender's notifications stay, and show none",
  params: z.object({ identity_id: z.string().meta({ description: "The identity's id" }) }),
  responses: {
    200: { description: "It is gone", schema: z.object({ success: z.literal(true), message: z.string() }) },
    ...errors(404),
  },
  async handle({ tenant, params: { identity_id: id } }) {
    await tenant.hub.identities.remove(id);
    return { status: 200, json: { success: true, message: "Identity deleted successfully" } };
  },
});

/** The routes of identities. */
export function identityRoutes(lists: ListStyle): readonly Route[] {
  const listRoute = defineRoute({
    method: "GET",
    path: BASE,
    operationId: "listIdentities",
    summary: "List identities, newest first",
    query: listQuery,
    responses: { 200: { description: "One page", schema: listSchema("identities", identitySchema, lists) }, ...errors(422) },
    async handle({ tenant, query }) {
      const { name, source_service: source, limit, offset } = query;
      const page = await tenant.hub.identities.list({ limit, offset, ...(name && { name }), ...(source && { source }) });
      return listReply("identities", page, { lists, limit, offset, render: renderIdentity });
    },
  });
  return [upsertRoute, listRoute, getBySourceRoute, getRoute, deleteRoute];
}
