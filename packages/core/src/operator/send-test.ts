import { type Acting, actorOf, type Send } from "../delivery/index.ts";
import { type ChecksOf, requireInput, requireNone } from "../foundation/issue-list.ts";
import { NAME_RULE, stringIssue, text } from "../foundation/parse-text.ts";
import { INBOX_CHANNEL } from "../notifications/index.ts";
import type { OperatorContext } from "./context.ts";

/** A test of a channel. */
export interface TestInput extends Acting {
  /** `inbox`, or the name of one of the service's channels. */
  readonly channel: string;
  /** A user's id, or an address that the channel takes. */
  readonly to: string;
  /** @default "Test" */
  readonly title?: string;
  /** @default "" */
  readonly message?: string;
}

const TEST: ChecksOf<TestInput> = {
  channel: stringIssue,
  to: stringIssue,
  title: stringIssue,
  message: stringIssue,
  actor: text(NAME_RULE),
};

/** Sends a test over a channel. Whoever is no address of it is a user. */
export async function sendTest(context: OperatorContext, tenant: string, input: TestInput): Promise<Send> {
  requireInput("sendTest", input, TEST);
  const { channel, to, title = "Test", message = "" } = input;
  requireNone([stringIssue(channel, "channel"), stringIssue(to, "to")]);
  const isAddress = channel !== INBOX_CHANNEL && context.channels.get(channel)?.invalidRecipient(to) === null;
  const whom = isAddress ? { to: { [channel]: to } } : { to, channels: [channel] };
  return await context.track({
    tenant,
    input: { ...whom, type: "test", title, message, actor: actorOf(input) },
    rules: { isContract: false, declaredTypesOnly: false },
  });
}
