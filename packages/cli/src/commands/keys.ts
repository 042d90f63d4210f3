import type { ApiKey, ApiKeyScope } from "@belfry/core";
import { given } from "@belfry/core/http";
import { Option } from "commander";
import { type AddCommand, type CommandContext, type Opened, withTables } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { plain, table } from "../output.ts";
import { requireYes } from "../prompt.ts";

interface CreateOptions {
  readonly name: string;
  readonly scope?: readonly ApiKeyScope[];
  readonly environment?: string;
}

interface RevokeOptions {
  readonly yes?: boolean;
}

/** `belfry keys`. */
export const keys: AddCommand = (program, run) => {
  const group = program.command("keys").description("API keys for clients of the HTTP contracts, one tenant's");
  group
    .command("create")
    .description("makes a key, and prints it once")
    .requiredOption("--name <purpose>", "its purpose, at most 255 characters")
    .addOption(new Option("--scope <scopes...>", "what it may do (default: both)").choices(["read", "write"]))
    .option("--environment <name>", 'a part of the key that tells people where it belongs (default: "live")')
    .action((options: CreateOptions) => run((context) => withTables(context, (opened) => create(context, opened, options))));
  group
    .command("list")
    .description("lists the keys, newest first, with revoked ones")
    .action(() => run((context) => withTables(context, (opened) => list(context, opened))));
  group
    .command("revoke")
    .description("revokes a key; within 5 seconds every instance refuses it")
    .argument("<id>", "its id, as list shows it")
    .option("-y, --yes", "do not ask")
    .action((id: string, options: RevokeOptions) =>
      run((context) => withTables(context, (opened) => revoke(context, opened, { id, ...options }))),
    );
};

async function create({ output }: CommandContext, { service, tenant }: Opened, options: CreateOptions): Promise<ExitCode> {
  const { name, scope, environment } = options;
  const { key, ...made } = await service.apiKeys.create({ name, tenant: tenant.tenantId, ...given({ scopes: scope, environment }) });
  output.remark("Keep it now: it is not shown again.");
  await output.result({ key, ...made }, [key]);
  return EXIT.ok;
}

async function list({ output }: CommandContext, { service, tenant }: Opened): Promise<ExitCode> {
  const found = await service.apiKeys.list(tenant.tenantId);
  const rows = found.map((key) => [key.id, plain(key.name), key.scopes.join("+"), key.createdAt.toISOString(), stateOf(key)]);
  await output.result({ keys: found }, table([["id", "name", "scopes", "created", "state"], ...rows]));
  return EXIT.ok;
}

async function revoke(
  context: CommandContext,
  { service, tenant }: Opened,
  { id, yes }: RevokeOptions & { readonly id: string },
): Promise<ExitCode> {
  const message = `Revoke the key ${id}? Its client is refused from then on.`;
  await requireYes(context, { message, isAnswered: yes === true, what: "keys revoke" });
  await service.apiKeys.revoke(id, tenant.tenantId);
  await context.output.result({ revoked: id }, [`Revoked the key ${id}.`]);
  return EXIT.ok;
}

function stateOf({ revokedAt }: ApiKey): string {
  return revokedAt === null ? "valid" : `revoked ${revokedAt.toISOString()}`;
}
