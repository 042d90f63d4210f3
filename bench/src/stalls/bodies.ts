/** The operations that take a body, and where in it something of the sender's own may stand. */
export const BODY_KINDS = {
  "delivery-v1 create": {
    path: "/api/v1/notifications",
    method: "POST",
    auth: "key",
    body: { type: "email", recipients: ["ann@example.com"], subject: "Hello", content: "Hi" },
    text: "content",
    object: "meta",
    list: "recipients",
  },
  "hub event": {
    path: "/notifications",
    method: "POST",
    auth: "key",
    body: { source_service: "shop", sender_id: "ann", content: "Hi" },
    text: "content",
    object: "metadata",
    list: "sender_id",
  },
  "hub handler": {
    path: "/notification-handlers",
    method: "POST",
    auth: "key",
    body: { source_service: "shop", prompt: "Answer" },
    text: "prompt",
    object: "metadata_filter",
    list: "source_service",
  },
  "hub identity": {
    path: "/identities",
    method: "POST",
    auth: "key",
    body: { source_service: "shop", source_id: "ann", name: "Ann" },
    text: "name",
    object: "metadata",
    list: "name",
  },
  "django bulk": {
    path: "/notifications/bulk/",
    method: "POST",
    auth: "token",
    body: { ids: [1], action: "read" },
    text: "action",
    object: "ids",
    list: "ids",
  },
  "pack create": {
    path: "/api/notifications/create",
    method: "POST",
    auth: "none",
    body: { user_id: "ann", content: "Hi" },
    text: "content",
    object: "user_id",
    list: "user_id",
  },
} as const;

/** The name of an operation that takes a body. */
export type BodyKind = keyof typeof BODY_KINDS;

const MIB = 1024 * 1024;
/** What stands beside the hostile part. */
const ROOM = 300;

function filled(make: (at: number) => string, separator = ","): string {
  const parts: string[] = [];
  let size = 0;
  for (let at = 0; ; at += 1) {
    const part = make(at);
    size += Buffer.byteLength(part) + separator.length;
    if (size > MIB - ROOM) {
      return parts.join(separator);
    }
    parts.push(part);
  }
}

const letters = (length: number) => "abcdefghijklmnopqrstuvwxyz".repeat(length / 26);
const list = (make: (at: number) => string) => `[${filled(make)}]`;
const object = (make: (at: number) => string) => `{${filled(make)}}`;
const nested = (depth: number, open: string, close: string) => `${open.repeat(depth)}1${close.repeat(depth)}`;

/** Values of nearly 1 MiB as JSON text, each hostile in another way. */
const VALUES: Readonly<Record<string, () => string>> = {
  numbers: () => list(() => "1"),
  "long numbers": () => list((at) => `${at}.${"123456789".repeat(3)}e-30`),
  "numbers over 2^53": () => list((at) => `9007199254740993${at % 10}`),
  texts: () => list((at) => `"${at}"`),
  "empty texts": () => list(() => '""'),
  NULs: () => list(() => '"\\u0000"'),
  "half surrogates": () => list(() => '"\\ud800"'),
  "empty objects": () => list(() => "{}"),
  "empty lists": () => list(() => "[]"),
  "objects of one member": () => list(() => '{"a":1}'),
  "objects of one member each": () => list((at) => `{"${at.toString(36)}":1}`),
  "nested 90 deep": () => list(() => nested(90, "[", "]")),
  "objects nested 90 deep": () => list(() => nested(90, '{"a":', "}")),
  "nested 60 deep": () => list(() => nested(60, "[", "]")),
  "nested 500,000 deep": () => nested(500_000, "[", "]"),
  names: () => object((at) => `"${at}":1`),
  "names with a letter": () => object((at) => `"a${at}":1`),
  "short names": () => object((at) => `"${at.toString(36)}":1`),
  "names with a NUL": () => object((at) => `"\\u0000${at}":1`),
  "names with a half surrogate": () => object((at) => `"\\ud800${at}":1`),
  "names with an escape": () => object((at) => `"\\n${at}":1`),
  "names in Greek": () => object((at) => `"\u03b1${at}":1`),
  "long names": () => object((at) => `"${letters(260)}${at}":1`),
  "one long name": () => `{"${letters(MIB - ROOM - 26)}":1}`,
  "one name over and over": () => object(() => '"a":1'),
  "two names over and over": () => object((at) => `"${at % 2}":1`),
  "__proto__ over and over": () => object(() => '"__proto__":{}'),
  "names of sparse numbers": () => object((at) => `"${at * 4_000}":1`),
  "one long text": () => `"${letters(MIB - ROOM - 26)}"`,
  "a text of escapes": () => `"${filled(() => "\\u0041", "")}"`,
  "a text of NULs": () => `"${filled(() => "\\u0000", "")}"`,
  "a text of line breaks": () => `"${filled(() => "\\n", "")}"`,
  "a text of half surrogates": () => `"${filled(() => "\\ud800", "")}"`,
  "a text of emoji": () => `"${filled(() => "\u{1f600}", "")}"`,
  "a text of combining marks": () => `"a${filled(() => "\u0301", "")}"`,
  "a text of bidi controls": () => `"${filled(() => "\u202e", "")}"`,
  spaces: () => `${" ".repeat(MIB - ROOM)}1`,
  "wrong addresses": () => list((at) => `"${at} is no address"`),
  "wrong addresses of two letters": () => list((at) => `"${(at % 1296).toString(36)}"`),
  addresses: () => list((at) => `"user${at}@example.com"`),
  "1,000 long wrong addresses": () => `[${Array.from({ length: 1_000 }, (_, at) => `"${at}${"@x".repeat(500)}"`).join(",")}]`,
  "1,000 addresses of 1,000 dots": () => `[${Array.from({ length: 1_000 }, (_, at) => `"${at}${".a".repeat(500)}@a"`).join(",")}]`,
  "1,000 international domains": () =>
    `[${Array.from({ length: 1_000 }, (_, at) => `"a${at}@${"\u00fc".repeat(200)}.example"`).join(",")}]`,
  "1,000 objects of 200 names": () =>
    `[${Array.from({ length: 1_000 }, () => `{${Array.from({ length: 120 }, (_, at) => `"${at}":1`).join(",")}}`).join(",")}]`,
  "operators of a filter": () => object((at) => `"a${at}":{"operator":"in","value":[1]}`),
  "a filter's list": () => `{"a":{"operator":"in","value":${filledList()}}}`,
};

function filledList(): string {
  return `[${filled((at) => String(at % 10)).slice(2)}]`;
}

const made = new Map<string, string>();

/** A value, made once: most of them have some hundred thousand parts. */
function madeOnce(name: string, make: () => string): string {
  const value = made.get(name) ?? make();
  made.set(name, value);
  return value;
}

/** The bodies for an operation, by name: every value at each of its places, and as the whole body. */
export function bodiesFor(kind: BodyKind): Readonly<Record<string, () => string>> {
  const { body, text, object: dictionary, list: items } = BODY_KINDS[kind];
  const at = (member: string, value: () => string) => () => {
    const { [member]: _, ...rest } = body as Readonly<Record<string, unknown>>;
    return `${JSON.stringify(rest).slice(0, -1)},${JSON.stringify(member)}:${value()}}`;
  };
  const values = Object.entries(VALUES).map(([name, make]): [string, () => string] => [name, () => madeOnce(name, make)]);
  const cases: [string, () => string][] = values.flatMap(([name, value]) =>
    [...new Set([text, dictionary, items])].map((member): [string, () => string] => [`${member}: ${name}`, at(member, value)]),
  );
  // A body that is no object, or has no known member, is refused alike everywhere.
  const whole = values.map(([name, value]): [string, () => string] => [`whole: ${name}`, value]);
  return Object.fromEntries(kind === "delivery-v1 create" ? [...cases, ...whole, ...broken()] : cases);
}

/** Bodies that are no JSON. */
function broken(): [string, () => string][] {
  return [
    ["broken: no end", () => `{"a":${VALUES.numbers?.().slice(0, -1)}`],
    ["broken: invalid UTF-8", () => `{"a":"${filled(() => "\u00ff", "")}`],
    ["broken: only brackets", () => "[".repeat(MIB - ROOM)],
    ["broken: a quote without an end", () => `"${"\\\\".repeat(MIB / 2 - ROOM)}`],
  ];
}
