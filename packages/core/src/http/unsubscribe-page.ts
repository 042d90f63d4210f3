import { UNSUBSCRIBE_PATH, type Unsubscribed, type UnsubscribeLabel } from "../decisions/index.ts";
import { BelfryError } from "../foundation/errors.ts";
import { clientAddress } from "./client-address.ts";
import type { HandlerSettings } from "./handler-options.ts";
import type { HttpRequest, HttpResponse } from "./messages.ts";
import type { RateLimits } from "./rate-limits.ts";
import { bodyTooLarge } from "./read-json.ts";
import type { ContractService } from "./route.ts";

const MAX_BODY_BYTES = 8_192;

const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "x-robots-tag": "noindex",
};

/** What the page says in a language. */
interface Texts {
  readonly title: string;
  readonly button: string;
  readonly again: string;
  ask(what: UnsubscribeLabel): string;
  off(what: UnsubscribeLabel): string;
  none(what: UnsubscribeLabel): string;
  on(what: UnsubscribeLabel): string;
  always(what: UnsubscribeLabel): string;
  readonly kept: string;
  readonly invalid: string;
  readonly noForm: string;
  readonly limited: string;
  readonly failed: string;
}

const en: Texts = {
  title: "Unsubscribe",
  button: "Unsubscribe",
  again: "Switch on again",
  ask: (what) => `Do you no longer want to get “${what.label ?? "All notifications"}” ${over(what.channel, "by e-mail", "over")}?`,
  off: (what) => `You will no longer get “${what.label ?? "All notifications"}” ${over(what.channel, "by e-mail", "over")}.`,
  none: (what) => `You do not get “${what.label ?? "All notifications"}” ${over(what.channel, "by e-mail", "over")}.`,
  on: (what) => `You get “${what.label ?? "All notifications"}” ${over(what.channel, "by e-mail", "over")} again.`,
  always: (what) => `“${what.label ?? "All notifications"}” always comes ${over(what.channel, "by e-mail", "over")} here.`,
  kept: "Your choice is kept, and counts once that changes.",
  invalid: "This link is not valid. Please use the link of a newer mail.",
  noForm: "Nothing was changed: this was not asked by the page, nor with List-Unsubscribe=One-Click.",
  limited: "There were too many attempts. Please try again later.",
  failed: "That did not work. Please try again later.",
};

const de: Texts = {
  title: "Abbestellen",
  button: "Abbestellen",
  again: "Wieder einschalten",
  ask: (what) =>
    `Möchten Sie „${what.label ?? "Alle Benachrichtigungen"}“ nicht mehr ${over(what.channel, "per E-Mail", "über")} bekommen?`,
  off: (what) => `Sie bekommen „${what.label ?? "Alle Benachrichtigungen"}“ nicht mehr ${over(what.channel, "per E-Mail", "über")}.`,
  none: (what) => `Sie bekommen „${what.label ?? "Alle Benachrichtigungen"}“ nicht ${over(what.channel, "per E-Mail", "über")}.`,
  on: (what) => `Sie bekommen „${what.label ?? "Alle Benachrichtigungen"}“ wieder ${over(what.channel, "per E-Mail", "über")}.`,
  always: (what) => `„${what.label ?? "Alle Benachrichtigungen"}“ kommt hier immer ${over(what.channel, "per E-Mail", "über")}.`,
  kept: "Ihre Wahl bleibt gespeichert und gilt, sobald sich das ändert.",
  invalid: "Dieser Link ist nicht gültig. Bitte nehmen Sie den Link einer neueren E-Mail.",
  noForm: "Es wurde nichts geändert: Die Anfrage kam nicht von dieser Seite und nicht mit List-Unsubscribe=One-Click.",
  limited: "Das waren zu viele Versuche. Bitte versuchen Sie es später wieder.",
  failed: "Das hat nicht geklappt. Bitte versuchen Sie es später wieder.",
};

const LANGUAGES: Readonly<Record<string, Texts>> = { en, de };

function over(channel: string, byMail: string, preposition: string): string {
  return channel === "email" ? byMail : `${preposition} ${channel}`;
}

/** The parts of a handler that the page uses. */
export interface UnsubscribePageParts {
  readonly service: ContractService;
  readonly settings: HandlerSettings;
  readonly limits: RateLimits;
}

/**
 * The page behind the links of mails. GET shows what would be switched off, or is off already, and changes nothing: programs that
 * look at links ask it, too. POST switches it off, from the page's form or from a mail program's one click (RFC 8058), or on again,
 * from another form of the page. The signed link is the only credential. Links that are not valid count as bad credentials of their address.
 */
export class UnsubscribePage {
  readonly #parts: UnsubscribePageParts;

  constructor(parts: UnsubscribePageParts) {
    this.#parts = parts;
  }

  /** Answers a request for the page; null for all others. */
  handle(request: HttpRequest, path: string): Promise<HttpResponse> | null {
    const { unsubscribing } = this.#parts.service;
    if (!unsubscribing || !path.startsWith(UNSUBSCRIBE_PATH) || request.method === "OPTIONS") {
      return null;
    }
    const token = path.slice(UNSUBSCRIBE_PATH.length).replace(/\/$/, "");
    const locale = languageOf(request, unsubscribing.locale);
    return this.#answer(request, { token, locale, unsubscribing });
  }

  async #answer(request: HttpRequest, asked: Asked): Promise<HttpResponse> {
    const texts = LANGUAGES[asked.locale] ?? en;
    const answer: Answering["answer"] = (status, text, more = {}) => page(request, { status, texts, locale: asked.locale, text, ...more });
    try {
      if (!["GET", "HEAD", "POST"].includes(request.method)) {
        return answer(405, texts.noForm, { headers: { allow: "GET, HEAD, POST" } });
      }
      const guess = { address: () => clientAddress(this.#parts.settings, request), credential: asked.token };
      await this.#parts.limits.beforeLookUp(guess);
      const found = await this.#found(request, asked);
      if (found === null) {
        await this.#parts.limits.badCredential(guess);
        return answer(404, texts.invalid);
      }
      if (found === "no form") {
        return answer(400, texts.noForm);
      }
      const { text, button } = saidOf(found, texts);
      return answer(200, text, button ? { form: formOf(button, texts) } : {});
    } catch (error) {
      return this.#failure(error, { answer, texts });
    }
  }

  async #found(request: HttpRequest, { token, locale, unsubscribing }: Asked): Promise<Found | "no form" | null> {
    const looked = await unsubscribing.look(token, locale);
    if (looked === null || request.method !== "POST") {
      return looked && { ...looked, wish: null };
    }
    const wish = await wishOf(request);
    if (wish === null) {
      return "no form";
    }
    const state = await (wish === "off" ? unsubscribing.follow(token, locale) : unsubscribing.undo(token, locale));
    return state && { ...state, wish };
  }

  #failure(error: unknown, { answer, texts }: Answering): HttpResponse {
    const code = error instanceof BelfryError ? error.code : null;
    if (code === "RATE_LIMITED") {
      const waitMs = (error as BelfryError).details.retry_after_ms;
      return answer(429, texts.limited, { headers: { "retry-after": String(Math.max(1, Math.ceil(Number(waitMs) / 1_000))) } });
    }
    if (code === "PAYLOAD_TOO_LARGE") {
      return answer(413, texts.noForm);
    }
    if (code === "STORAGE_UNAVAILABLE") {
      return answer(503, texts.failed);
    }
    this.#parts.settings.logger.error({ error }, "Belfry could not answer a link to unsubscribe.");
    return answer(500, texts.failed);
  }
}

interface Asked {
  readonly token: string;
  readonly locale: string;
  readonly unsubscribing: NonNullable<ContractService["unsubscribing"]>;
}

interface Answering {
  readonly texts: Texts;
  answer(status: number, text: string, more?: Pick<Page, "form" | "headers">): HttpResponse;
}

/** What a form of the page asks for. */
type Wish = "off" | "on";

/** How things stand after a request, and what it asked for; null for nothing. */
type Found = Unsubscribed & { readonly wish: Wish | null };

/** What the page says, and what its button does; null for no button. */
function saidOf(found: Found, texts: Texts): { readonly text: string; readonly button: Wish | null } {
  const { wish, isOff, isChangeable } = found;
  if (isOff) {
    return { text: wish === "off" ? texts.off(found) : texts.none(found), button: isChangeable ? "on" : null };
  }
  if (wish === "off") {
    return { text: `${texts.always(found)} ${texts.kept}`, button: null };
  }
  if (wish === "on") {
    return { text: texts.on(found), button: isChangeable ? "off" : null };
  }
  return isChangeable ? { text: texts.ask(found), button: "off" } : { text: texts.always(found), button: null };
}

/** The first language of the reader that the page has, else the service's, else English. */
function languageOf({ headers }: HttpRequest, locale: string): string {
  const wanted = (headers["accept-language"] ?? "")
    .slice(0, 1_000)
    .split(",")
    .map((part) => {
      const [tag = "", ...parameters] = part.split(";");
      const quality = /^\s*q=([\d.]+)/.exec(parameters[0] ?? "")?.[1] ?? "1";
      return { language: tag.trim().toLowerCase().split("-")[0] ?? "", quality: Number(quality) };
    })
    .filter(({ quality }) => quality > 0)
    .sort((left, right) => right.quality - left.quality)
    .map(({ language }) => language);
  return [...wanted, locale.toLowerCase().split("-")[0] ?? ""].find((language) => Object.hasOwn(LANGUAGES, language)) ?? "en";
}

/** The member of each form, and its value. That of `off` is the one of RFC 8058. */
const FORMS: Readonly<Record<Wish, readonly [name: string, value: string]>> = {
  off: ["List-Unsubscribe", "One-Click"],
  on: ["Belfry-Unsubscribe", "Undo"],
};

/** What the body asks for, by a form of the page or of RFC 8058; null for another body. A parser of the host may have read it. */
async function wishOf(request: HttpRequest): Promise<Wish | null> {
  const member = await membersOf(request);
  return (["off", "on"] as const).find((wish) => member(FORMS[wish][0]) === FORMS[wish][1]) ?? null;
}

async function membersOf(request: HttpRequest): Promise<(name: string) => unknown> {
  if (request.parsedBody) {
    const { value } = request.parsedBody;
    return (name) => (typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : null);
  }
  const bytes = await request.body(MAX_BODY_BYTES);
  // Belfry has not yet counted bytes that the host had already read.
  if (bytes.length > MAX_BODY_BYTES) {
    throw bodyTooLarge(MAX_BODY_BYTES);
  }
  const body = new TextDecoder().decode(bytes);
  if (!/^multipart\/form-data/i.test(request.headers["content-type"] ?? "")) {
    const fields = new URLSearchParams(body);
    return (name) => fields.get(name);
  }
  return (name) => new RegExp(`name="?${name}"?\\r?\\n(?:[\\w-]+:[^\\r\\n]*\\r?\\n)*\\r?\\n([^\\r\\n]*)\\r?\\n`).exec(body)?.[1];
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
}

function formOf(wish: Wish, { button, again }: Texts): string {
  const [name, value] = FORMS[wish];
  const label = escaped(wish === "off" ? button : again);
  return `<form method="post"><input type="hidden" name="${name}" value="${value}"><button>${label}</button></form>`;
}

interface Page {
  readonly status: number;
  readonly texts: Texts;
  readonly locale: string;
  readonly text: string;
  /** HTML. */
  readonly form?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function page({ method }: HttpRequest, { status, texts, locale, text, form = "", headers }: Page): HttpResponse {
  const title = escaped(texts.title);
  const body = `<!doctype html><html lang="${locale}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title></head><body><main><h1>${title}</h1><p>${escaped(text)}</p>${form}</main></body></html>`;
  return { status, headers: { ...HEADERS, ...headers }, body: method === "HEAD" ? null : body };
}
