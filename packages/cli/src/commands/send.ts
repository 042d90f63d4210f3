import type { Created, UntypedCreateInput, UntypedTopicInput } from "@belfry/core";
import { given } from "@belfry/core/http";
import { Option } from "commander";
import { type AddCommand, type CommandContext, type Opened, withTables } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { wrongUsage } from "../failure.ts";
import { parseJsonObject } from "../parse-options.ts";

interface SendOptions {
  readonly to?: readonly string[];
  readonly address?: readonly string[];
  readonly everyone?: boolean;
  readonly topic?: readonly string[];
  readonly title?: string;
  readonly message?: string;
  readonly type?: string;
  readonly data?: string;
  readonly url?: string;
  readonly priority?: UntypedCreateInput["priority"];
  readonly channel?: readonly string[];
  readonly at?: string;
  readonly idempotencyKey?: string;
}

type Audience = Pick<UntypedCreateInput, "to"> | Pick<UntypedTopicInput, "topic" | "to">;

/** `belfry send`. */
export const send: AddCommand = (program, run) => {
  program
    .command("send")
    .description("creates a notification, as notifications.create does")
    .option("--to <users...>", "users who get it")
    .option("--address <channel=address...>", "addresses that get it, such as email=ann@example.com")
    .option("--topic <topics...>", "topics whose subscribers get it")
    .option("--everyone", "everyone in the tenant gets it")
    .option("--title <text>", "its title")
    .option("--message <text>", "its text")
    .option("--type <name>", "its type")
    .option("--data <json>", "its data, a JSON object")
    .option("--url <url>", "where it leads")
    .addOption(new Option("--priority <level>", "how much it matters").choices(["low", "normal", "high", "urgent"]))
    .option("--channel <names...>", "the channels over which users get it (default: those of the type, else the inbox)")
    .option("--at <time>", "when to deliver it, in ISO 8601 with a time zone (default: at once)")
    .option("--idempotency-key <key>", "makes the command repeatable for a day")
    .addHelpText("after", "\n--actor <name> is the notification's actor, which recipients see (default: none).")
    .action((options: SendOptions) => run((context) => sendWith(context, options)));
};

async function sendWith(context: CommandContext, options: SendOptions): Promise<ExitCode> {
  // Before anything is opened: what cannot be sent needs no database to say so.
  const input = inputOf(options, context.options.actor);
  return withTables(context, (opened) => create(context, opened, input));
}

async function create({ output }: CommandContext, opened: Opened, input: UntypedCreateInput | UntypedTopicInput): Promise<ExitCode> {
  const { notification, items } = await opened.tenant.createUntyped(input);
  const { id, tenant, kind, type, createdAt } = notification;
  const document = { id, tenant, kind, type, createdAt, items: items.map(({ userId, seq }) => ({ userId, seq })) };
  await output.result(document, [`Created ${id}${whoHasIt(items, opened)}`]);
  return EXIT.ok;
}

/** Says who has it by now. Deliveries, and items of many, follow. */
function whoHasIt(items: Created["items"], { isApplications }: Opened): string {
  if (items.length > 0) {
    return `, in the inbox of ${items.map(({ userId }) => userId).join(", ")}.`;
  }
  return isApplications ? "; it is delivered in the background." : "; a process of your application delivers it in the background.";
}

function inputOf(options: SendOptions, actor: string | undefined): UntypedCreateInput | UntypedTopicInput {
  const { title, message, type, url, priority, idempotencyKey } = options;
  return {
    ...audienceOf(options),
    ...given({ title, message, type, url, priority, idempotencyKey, actor, channels: options.channel, scheduledAt: options.at }),
    ...(options.data !== undefined && { data: parseJsonObject(options.data, "--data") }),
  };
}

function audienceOf({ to = [], address = [], everyone = false, topic }: SendOptions): Audience {
  const named = [...to, ...address.map(addressOf)];
  if (everyone && (named.length > 0 || topic !== undefined)) {
    throw wrongUsage("--everyone already has all users. Leave out --to, --address and --topic.");
  }
  if (everyone) {
    return { to: "everyone" };
  }
  if (topic !== undefined) {
    return { topic, ...(named.length > 0 && { to: named }) };
  }
  if (named.length === 0) {
    throw wrongUsage("send needs somebody to send to. Give --to <user>, --address <channel=address>, --topic <topic> or --everyone.");
  }
  return { to: named };
}

function addressOf(text: string): Readonly<Record<string, string>> {
  const at = text.indexOf("=");
  if (at < 1 || at === text.length - 1) {
    throw wrongUsage(`--address ${JSON.stringify(text)} names no channel and address. Write it as in email=ann@example.com.`);
  }
  return { [text.slice(0, at)]: text.slice(at + 1) };
}
