import { REPOSITORY } from "./repository-links.ts";

/** A schema of an OpenAPI 3.1 document, with the members that the contracts use. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly additionalProperties?: boolean | Schema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly format?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}

interface Answer extends Content {
  readonly $ref?: string;
  readonly description?: string;
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly {
    readonly in: string;
    readonly name: string;
    readonly required?: boolean;
    readonly description?: string;
    readonly schema: Schema;
  }[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Answer>>;
}

/** An OpenAPI document, as `docs/openapi` has them. */
export interface OpenApi {
  readonly info: { readonly title: string; readonly description?: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: {
    readonly schemas?: Readonly<Record<string, Schema>>;
    readonly responses?: Readonly<Record<string, Answer>>;
  };
}

/** The page of a contract's routes: each with its parameters, its body and its answers, then the schemas that they share. */
export function routesPage(contract: string, { info, paths, components = {} }: OpenApi): string {
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => [
      "",
      ...route(`${method.toUpperCase()} ${path}`, operation, components.responses ?? {}),
    ]),
  );
  const schemas = Object.entries(components.schemas ?? {}).flatMap(([name, schema]) => [
    "",
    `## ${name} {#schema-${anchor(name)}}`,
    "",
    ...shape(schema),
  ]);
  return `${[
    `# Routes of \`${contract}\``,
    "",
    `Made from the OpenAPI 3.1 document [${contract}.json](${REPOSITORY}docs/openapi/${contract}.json). [The contract's page](../../contracts/${contract}.md) says how it is used.`,
    "",
    escaped(info.description ?? ""),
    ...routes,
    ...schemas,
  ].join("\n")}\n`;
}

function route(heading: string, operation: Operation, shared: Readonly<Record<string, Answer>>): string[] {
  const { operationId, summary, requestBody, responses } = operation;
  return [
    `## \`${heading}\` {#${anchor(operationId)}}`,
    "",
    `${escaped(summary)}.`,
    ...parametersTable(operation),
    ...bodies(requestBody).flatMap(([type, schema]) => ["", `Body, \`${type}\`:`, "", ...shape(schema)]),
    ...answersTable(responses, shared),
    ...bodies(responses["200"] ?? responses["201"]).flatMap(([, schema]) =>
      schema.properties === undefined ? [] : ["", "The answer has:", "", ...shape(schema)],
    ),
  ];
}

function parametersTable({ parameters = [] }: Operation): string[] {
  const rows = parameters.map(({ name, in: place, required, schema, description }) =>
    row([`\`${name}\`${required ? " (required)" : ""}`, place, typeOf(schema), description ?? schema.description ?? ""]),
  );
  return rows.length === 0 ? [] : ["", "| parameter | in | type | meaning |", "| --- | --- | --- | --- |", ...rows];
}

function answersTable(responses: Operation["responses"], shared: Readonly<Record<string, Answer>>): string[] {
  const rows = Object.entries(responses).map(([status, given]) => {
    const answer = given.$ref === undefined ? given : (shared[nameOf(given.$ref)] ?? given);
    const content = bodies(answer).map(([type, schema]) => `${typeOf(schema)}, \`${type}\``);
    return row([status, content.join("; "), answer.description ?? ""]);
  });
  return ["", "| status | answer | meaning |", "| --- | --- | --- |", ...rows];
}

/** The bodies of a request or an answer, by their media types. */
function bodies(holder: Content | undefined): [string, Schema][] {
  return Object.entries(holder?.content ?? {}).map(([type, { schema = {} }]) => [type, schema]);
}

/** A table of an object's members, those of objects inside it by their paths; in other cases, the type. */
function shape(schema: Schema): string[] {
  const rows = members(schema, "");
  if (rows.length === 0) {
    return [[typeOf(schema), escaped(schema.description ?? "")].filter((text) => text !== "").join(": ")];
  }
  return ["| member | type | meaning |", "| --- | --- | --- |", ...rows];
}

function members({ properties = {}, required = [] }: Schema, path: string): string[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const own = `${path}${name}`;
    const optional = required.includes(name) ? "" : " (optional)";
    const inner = schema.items?.properties === undefined ? members(schema, `${own}.`) : members(schema.items, `${own}[].`);
    return [row([`\`${own}\`${optional}`, typeOf(schema), schema.description ?? ""]), ...inner];
  });
}

/** A schema's type in a few words, with links to the schemas that it names. */
function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) {
    const name = nameOf(schema.$ref);
    return `[${name}](#schema-${anchor(name)})`;
  }
  const [choices] = [schema.anyOf ?? schema.oneOf ?? schema.allOf];
  if (choices !== undefined) {
    return choices.map(typeOf).join(schema.allOf === undefined ? " or " : " and ");
  }
  if (schema.enum !== undefined || schema.const !== undefined) {
    return (schema.enum ?? [schema.const]).map((value) => `\`${JSON.stringify(value)}\``).join(", ");
  }
  const type = [schema.type ?? "any"].flat().join(" or ");
  const named = schema.items === undefined ? type : type.replace("array", `list of ${typeOf(schema.items)}`);
  return [named, schema.format, ...limits(schema)].filter((text) => text !== undefined).join(", ");
}

function limits({ minimum, maximum, minLength, maxLength, minItems, maxItems, default: preset }: Schema): string[] {
  return [
    ...between(minimum, maximum, ""),
    ...between(minLength, maxLength, " characters"),
    ...between(minItems, maxItems, " items"),
    ...(preset === undefined ? [] : [`default \`${JSON.stringify(preset)}\``]),
  ];
}

/** A range in words; the largest and smallest whole numbers that JSON carries are no limits. */
function between(least: number | undefined, most: number | undefined, unit: string): string[] {
  const lower = least === undefined || least === 0 || least === Number.MIN_SAFE_INTEGER ? undefined : least;
  const upper = most === undefined || most === Number.MAX_SAFE_INTEGER ? undefined : most;
  if (lower !== undefined && upper !== undefined) {
    return [`${lower} to ${upper}${unit}`];
  }
  return [...(lower === undefined ? [] : [`at least ${lower}${unit}`]), ...(upper === undefined ? [] : [`at most ${upper}${unit}`])];
}

function nameOf(reference: string): string {
  return reference.slice(reference.lastIndexOf("/") + 1);
}

function anchor(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => escaped(cell).replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
}

/** Text in which nothing is taken for a tag or for an expression of a template. */
function escaped(text: string): string {
  return text.replaceAll(/<(?=[a-z/!])/gi, "&lt;").replaceAll("{{", "&#123;&#123;");
}
