import { BelfryError } from "@belfry/core";
import { createTransport } from "nodemailer";
import type { EmailOptions, TenantTransports } from "./email-options.ts";
import type { MailSender, MailTransport } from "./mail-sender.ts";
import { type KeptSenders, TenantSenders } from "./tenant-senders.ts";

/** The senders of tenants. */
export interface Senders {
  /** Whether a tenant has senders, or may have some: a promise has not said yet. */
  mayHave(tenant: string): boolean;
  /** A tenant's senders, in the order in which to try them; empty if there are none. */
  of(tenant: string): readonly MailSender[] | Promise<readonly MailSender[]>;
}

/**
 * Makes the senders of tenants.
 * @throws `CONFIGURATION` for a value that is neither an SMTP URL nor a transport; at once for fixed transports
 */
export function sendersFor(options: EmailOptions): Senders {
  const { transport, provider } = options;
  if (transport !== undefined && provider !== undefined) {
    throw new BelfryError("CONFIGURATION", "email: both transport and provider are given; give one of them");
  }
  if (provider !== undefined && typeof provider !== "function") {
    throw new BelfryError("CONFIGURATION", "email: provider is not a function of the tenant; give transport instead");
  }
  if (options.fallbackTransports !== undefined && !Array.isArray(options.fallbackTransports)) {
    throw new BelfryError("CONFIGURATION", "email: fallbackTransports is not a list of transports");
  }
  const toSender = senderSource(options.requireTLS ?? false);
  const fallbacks = (options.fallbackTransports ?? []).map(toSender);
  if (provider) {
    return sendersBy(provider, (given) => {
      const own = listOf(given).map(toSender);
      return own.length === 0 ? [] : [...own, ...fallbacks];
    });
  }
  const fixed = transport === undefined ? [] : [toSender(transport), ...fallbacks];
  return { mayHave: () => fixed.length > 0, of: () => fixed };
}

function sendersBy(
  provider: NonNullable<EmailOptions["provider"]>,
  sendersOf: (given: TenantTransports) => readonly MailSender[],
): Senders {
  const kept = new TenantSenders();
  const find = (tenant: string): readonly MailSender[] | KeptSenders => {
    const known = kept.get(tenant);
    if (known !== null) {
      return known;
    }
    const given = provider(tenant);
    return given instanceof Promise ? kept.keep(tenant, given.then(sendersOf)) : sendersOf(given);
  };
  return {
    mayHave(tenant) {
      const found = find(tenant);
      return "senders" in found ? found.found?.length !== 0 : found.length > 0;
    },
    of(tenant) {
      const found = find(tenant);
      return "senders" in found ? found.senders : found;
    },
  };
}

function listOf(given: TenantTransports): readonly MailTransport[] {
  if (given === null) {
    return [];
  }
  return typeof given === "string" || "sendMail" in given ? [given] : given;
}

/** How many SMTP URLs are kept with their senders, so that a server that is away is known by its URL. */
const MAX_SENDERS = 1_000;

function senderSource(requireTLS: boolean): (transport: MailTransport) => MailSender {
  const byUrl = new Map<string, MailSender>();
  return (transport) => {
    if (typeof transport !== "string") {
      return checkedSender(transport);
    }
    const known = byUrl.get(transport);
    if (known !== undefined) {
      return known;
    }
    const options = smtpOptions(transport, requireTLS);
    // Each mail gets a connection of its own: there is nothing to close, and the end of an attempt ends its connection.
    const sender: MailSender = { sendMail: (mail) => createTransport(options).sendMail(mail) };
    byUrl.set(transport, sender);
    const [oldest] = byUrl.keys();
    if (byUrl.size > MAX_SENDERS && oldest !== undefined) {
      byUrl.delete(oldest);
    }
    return sender;
  };
}

function checkedSender(sender: MailSender): MailSender {
  if (typeof sender?.sendMail !== "function") {
    throw new BelfryError("CONFIGURATION", "email: a transport is neither an SMTP URL nor an object with sendMail");
  }
  return sender;
}

/** Reads an SMTP URL. Its error never quotes the URL, which may hold a password. */
function smtpOptions(url: string, requireTLS: boolean) {
  const parsed = URL.parse(url);
  if (!parsed || !["smtp:", "smtps:"].includes(parsed.protocol) || parsed.hostname === "") {
    throw new BelfryError("CONFIGURATION", "email: a transport is not an SMTP URL; give smtp://user:password@host:587 or smtps://…");
  }
  if (parsed.searchParams.has("pool")) {
    throw new BelfryError(
      "CONFIGURATION",
      "email: an SMTP URL cannot ask for a pool; give nodemailer's createTransport({ pool: true, … })",
    );
  }
  return { url, ...(requireTLS && { requireTLS }), disableFileAccess: true, disableUrlAccess: true };
}
