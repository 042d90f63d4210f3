import { BelfryError } from "@belfry/core";
import { defineRoute, given, type Reply, type Route, reply } from "@belfry/core/http";
import { z } from "zod";
import type { ApiContext } from "./context.ts";

/** The page of a list of deliveries, as query parameters. */
export const lines = {
  failing: z.stringbool().default(false),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().optional(),
};

/** Allows a mail its own styles and the pictures inside it, and nothing else: no code, no form, nothing from elsewhere, and no frame but the page's. */
const MAIL_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox",
  "referrer-policy": "no-referrer",
  "x-frame-options": "SAMEORIGIN",
};

const params = z.object({ id: z.string() });

/** The routes of a notification's deliveries, and of what their messages say. */
export function deliveryRoutes({ service, redaction }: ApiContext): readonly Route[] {
  const deliveries = (tenantId: string) => service.tenant(tenantId).operator.deliveries;
  const previewOf = async (tenantId: string, id: string) => {
    if (redaction !== null) {
      throw new BelfryError("FORBIDDEN", "A dashboard with a redact function shows no whole messages.");
    }
    return deliveries(tenantId).preview(id);
  };
  return [
    defineRoute("GET", "/api/activity/{id}/deliveries", {
      operationId: "listDeliveries",
      summary: "Deliveries of a notification, in the order of its recipients",
      params,
      query: z.object(lines),
      responses: { 200: { description: "A page of deliveries" } },
      handle: async ({ tenant, params: { id }, query: { failing, limit, cursor } }) =>
        reply(await deliveries(tenant.tenantId).of(id, { isFailing: failing, limit, ...given({ cursor }) })),
    }),
    defineRoute("GET", "/api/deliveries/{id}/preview", {
      operationId: "previewDelivery",
      summary: "What the message of a delivery says, rendered anew",
      params,
      responses: { 200: { description: "Its subject, text and HTML" } },
      handle: async ({ tenant, params: { id } }) => reply(await previewOf(tenant.tenantId, id)),
    }),
    defineRoute("GET", "/api/deliveries/{id}/mail", {
      operationId: "showMail",
      summary: "The HTML of a delivery's message, for a frame in which nothing runs",
      params,
      responses: { 200: { description: "The document", contentType: "text/html" } },
      async handle({ tenant, params: { id } }): Promise<Reply> {
        const { html } = await previewOf(tenant.tenantId, id);
        return { status: 200, headers: MAIL_HEADERS, jsonText: html ?? "" };
      },
    }),
  ];
}
