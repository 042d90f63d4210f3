import { BelfryError } from "@belfry/core";
import { createTransport } from "nodemailer";
import type { EmailOptions } from "./email-options.ts";
import type { MailSender, MailTransport } from "./mail-sender.ts";

/**
 * Gives a tenant's senders, in the order in which to try them; empty if there are none.
 * @throws `CONFIGURATION` for a value that is neither an SMTP URL nor a transport; at once for fixed transports
 */
export function sendersFor(options: EmailOptions): (tenant: string) => readonly MailSender[] {
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
    return (tenant) => {
      const own = listOf(provider(tenant)).map(toSender);
      return own.length === 0 ? [] : [...own, ...fallbacks];
    };
  }
  const fixed = transport === undefined ? [] : [toSender(transport), ...fallbacks];
  return () => fixed;
}

function listOf(given: MailTransport | readonly MailTransport[] | null): readonly MailTransport[] {
  if (given === null) {
    return [];
  }
  return typeof given === "string" || "sendMail" in given ? [given] : given;
}

function senderSource(requireTLS: boolean): (transport: MailTransport) => MailSender {
  return (transport) => {
    if (typeof transport !== "string") {
      return checkedSender(transport);
    }
    const options = smtpOptions(transport, requireTLS);
    // Each mail gets a connection of its own: there is nothing to close, and the end of an attempt ends its connection.
    return { sendMail: (mail) => createTransport(options).sendMail(mail) };
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
