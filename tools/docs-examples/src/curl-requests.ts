/** A request that a document writes as a call of curl. */
export interface CurlRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/**
 * Reads the calls of curl in a shell script, with the options `-X`, `-H` and `-d`. So the documents' calls can be tried on
 * machines without curl.
 *
 * @throws Error for another program or option
 */
export function curlRequests(script: string): CurlRequest[] {
  const commands = script.replaceAll("\\\n", " ").split(/\n(?=curl )/);
  return commands.map((command) => curlRequest(wordsOf(command)));
}

function curlRequest([program, ...words]: readonly string[]): CurlRequest {
  if (program !== "curl") {
    throw new Error(`The script calls ${program}, not curl.`);
  }
  const isOption = (at: number) => words[at]?.startsWith("-") === true;
  const url = words.find((_, at) => !isOption(at) && !isOption(at - 1)) ?? "";
  const options = words.flatMap((word, at) => (isOption(at) ? [[word, words[at + 1] ?? ""] as const] : []));
  const unknown = options.find(([name]) => !["-X", "-H", "-d"].includes(name));
  if (unknown) {
    throw new Error(`The option ${unknown[0]} of curl is not known here.`);
  }
  const given = (name: string) => options.filter(([option]) => option === name).map(([, value]) => value);
  const headers = Object.fromEntries(given("-H").map((header) => header.split(/: (.*)/s, 2) as [string, string]));
  const [body] = given("-d");
  return { method: given("-X")[0] ?? (body === undefined ? "GET" : "POST"), url, headers, body };
}

/** Splits a shell command into its words. Quotes of both kinds keep spaces; nothing is substituted. */
function wordsOf(command: string): string[] {
  const words = command.trim().matchAll(/(?:'[^']*'|"(?:\\.|[^"\\])*"|[^\s'"])+/g);
  return [...words].map(([word]) =>
    word.replaceAll(
      /'([^']*)'|"((?:\\.|[^"\\])*)"/g,
      (_, single?: string, double?: string) => single ?? double?.replaceAll(/\\(.)/g, "$1") ?? "",
    ),
  );
}
