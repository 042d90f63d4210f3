import { type Check, fine } from "./finding.ts";

/** Looks at the API keys of the tenant. */
export const lookAtKeys: Check = async ({ service, tenant }) => {
  const keys = await service.apiKeys.list(tenant.tenantId);
  const valid = keys.filter(({ revokedAt }) => revokedAt === null);
  return [
    fine("keys", `The tenant ${tenant.tenantId} has ${valid.length} valid API keys, and ${keys.length - valid.length} revoked ones.`),
  ];
};
