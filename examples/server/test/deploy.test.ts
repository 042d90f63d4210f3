import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { readConfig } from "../src/config.ts";

const read = (file: string) => readFile(new URL(`../../../deploy/${file}`, import.meta.url), "utf8");

type Env = Readonly<Record<string, string>>;

/** Variables as Compose fills them in: with their defaults, or with what a host has to give. */
function filledIn(env: Env, given: Env): Env {
  const value = (text: string) =>
    text.replaceAll(
      /\$\{(\w+):[-?]([^}]*)\}/g,
      (_, name: string, fallback: string) => given[name] ?? (text.includes(":?") ? "" : fallback),
    );
  return Object.fromEntries(Object.entries(env).map(([name, text]) => [name, value(text)]));
}

const GIVEN = {
  API_KEYS: "a-random-key-of-32-characters-or-more=default",
  JWT_SECRET: "at-least-32-random-characters-go-here",
  WEBHOOK_SECRET: "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
};

/** The longest that the host takes to end once it has retired, in seconds. */
const END_S = 10;

interface Service {
  readonly environment?: Env;
  readonly stop_grace_period?: string;
  readonly healthcheck?: { readonly test: readonly string[] };
}

test("the compose file starts processes of every role that the host understands, and leaves them time to end", async () => {
  const { services } = parse(await read("compose.yaml"), { merge: true }) as { readonly services: Readonly<Record<string, Service>> };
  const hosts = Object.values(services).filter(({ environment }) => environment?.ROLE !== undefined);
  const configs = hosts.map(({ environment = {} }) => readConfig({ ...filledIn(environment, GIVEN), HOST: "0.0.0.0" }));
  expect(configs.map(({ role }) => role)).toEqual(["web", "worker", "hub"]);
  for (const [index, { database, retireMs }] of configs.entries()) {
    const { stop_grace_period: grace, healthcheck } = hosts[index] as Service;
    expect(database.kind).toBe("postgres");
    expect(Number(/^(\d+)s$/.exec(grace ?? "")?.[1])).toBeGreaterThan(retireMs / 1_000 + END_S);
    expect(healthcheck?.test.join(" ")).toContain("/health/ready");
  }
});

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Container {
  readonly ports: readonly { readonly name: string }[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly stringData?: Env;
  readonly spec: {
    readonly selector: { readonly matchLabels?: Env } & Env;
    readonly template: {
      readonly metadata: { readonly labels: Env };
      readonly spec: { readonly terminationGracePeriodSeconds: number; readonly containers: readonly [Container] };
    };
  };
}

test("the manifests for Kubernetes give every role its probes, its secrets and time to end", async () => {
  const documents = parseAllDocuments(await read("kubernetes/host.yaml"));
  expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
  const manifests = documents.map((document) => document.toJS() as Manifest);
  const { stringData = {} } = parse(await read("kubernetes/secret.example.yaml")) as Manifest;
  const deployments = manifests.filter(({ kind }) => kind === "Deployment");
  expect(deployments).toHaveLength(3);
  for (const { metadata, spec } of deployments) {
    const { template } = spec;
    const [container] = template.spec.containers;
    const env = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
    const { role, retireMs } = readConfig({ ...stringData, ...env, HOST: "0.0.0.0", NODE_ENV: "production" });
    expect(metadata.name).toBe(`belfry-${role}`);
    expect(template.metadata.labels).toEqual(spec.selector.matchLabels);
    expect(template.metadata.labels.role).toBe(role);
    expect(template.spec.terminationGracePeriodSeconds).toBeGreaterThan(retireMs / 1_000 + END_S);
    expect([container.readinessProbe.httpGet.path, container.livenessProbe.httpGet.path]).toEqual(["/health/ready", "/health/live"]);
    expect(container.ports.map(({ name }) => name)).toContain(container.readinessProbe.httpGet.port);
  }
  const service = manifests.find(({ kind }) => kind === "Service");
  expect(service?.spec.selector).toEqual({ app: "belfry", role: "web" });
});
