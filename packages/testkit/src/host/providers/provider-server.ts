import { discord, slack, teams, telegram, whatsapp } from "./chat-protocols.ts";
import { type LocalRequest, type LocalServer, runLocalServer } from "./local-server.ts";
import { answerBy, type Protocol, type ProviderBehaviour, type ProviderMessage, type ProviderRequest } from "./protocol.ts";
import { sns, twilio, vonage } from "./sms-protocols.ts";

const PROTOCOLS: Readonly<Record<ProviderName, Protocol>> = { slack, discord, teams, telegram, whatsapp, twilio, vonage, sns };

/** A provider whose protocol a server can speak. */
export type ProviderName = "slack" | "discord" | "teams" | "telegram" | "whatsapp" | "twilio" | "vonage" | "sns";

/** A server on this machine that speaks a provider's protocol. */
export interface ProviderServer extends LocalServer {
  /** The address of a webhook, for providers that have them. */
  readonly webhook: string;
  /** The messages that it got, whatever it answered. */
  readonly received: readonly ProviderMessage[];
  /** How it answers from now on. @default "taking" */
  behaviour: ProviderBehaviour;
}

/**
 * Starts a server that speaks a provider's protocol, for tests without an account and without a network.
 *
 * @example
 * ```ts
 * const server = await providerServer("twilio");
 * const sms = twilio({ accountSid, authToken, from, api: server.url, allowPrivate: true });
 * server.behaviour = "limited";
 * ```
 */
export async function providerServer(name: ProviderName): Promise<ProviderServer> {
  const protocol = PROTOCOLS[name];
  const received: ProviderMessage[] = [];
  const server = await runLocalServer((request) => {
    const read = readRequest(request);
    received.push({ ...read, to: protocol.recipientOf(read) });
    return answerBy(provider.behaviour, protocol.replies, () => protocol.taking(read));
  });
  const provider: ProviderServer = {
    ...server,
    webhook: `${server.url}/webhooks/T00000000/B00000000/xyz`,
    received,
    behaviour: "taking",
  };
  return provider;
}

function readRequest({ path, headers, body }: LocalRequest): ProviderRequest {
  const text = body.toString();
  const isJson = headers["content-type"]?.startsWith("application/json") === true;
  return { path, headers, body: isJson ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text)) };
}
