import { readFile, writeFile } from "node:fs/promises";

/** The kinds of work of a fleet's web processes and servers that use CPU. */
export const KINDS = ["seconds", "processSeconds", "socketSeconds", "creates", "signals", "ownFrames", "otherFrames"] as const;

export type Kind = (typeof KINDS)[number];

/**
 * An amount for each kind of work: how much of it is done, or the CPU that one unit of it uses, in microseconds.
 *
 * - `seconds`: a second passes, however many processes there are, which costs a server its own upkeep;
 * - `processSeconds`: a process is there for a second;
 * - `socketSeconds`: a socket is open for a second;
 * - `creates`: a notification for one user is created;
 * - `signals`: a process hears of a notification that another one created;
 * - `ownFrames`: a frame of a notification is written by the process that created it;
 * - `otherFrames`: a frame is written by another process, which reads the notification from the database first.
 */
export type Work = Readonly<Record<Kind, number>>;

/** What the work of the web processes costs them and their servers, in microseconds of CPU for a unit of each kind. */
export interface TransportCosts {
  readonly web: Work;
  readonly database: Work;
  readonly redis: Work;
}

/** What web processes are connected by. */
export type TransportName = "PostgreSQL" | "Redis";

/** The CPU of a claim and a completion, in microseconds. The channel does nothing. */
export interface DeliveryCost {
  readonly worker: number;
  readonly database: number;
}

/** What a delivery costs with one worker, and with two. */
export interface DeliveryCosts {
  readonly alone: DeliveryCost;
  readonly shared: DeliveryCost;
}

/** Costs that were measured. */
export interface FleetCosts {
  readonly machine: {
    readonly node: string;
    readonly system: string;
    readonly processors: string;
    readonly measuredAt: string;
  };
  /** What was there and was created while they were measured, over all processes: at higher rates, work is done in larger parts and costs less. */
  readonly load: { readonly sockets: number; readonly perSecond: number };
  readonly transports: Readonly<Record<TransportName, TransportCosts>>;
  readonly delivery: DeliveryCosts;
  /** Resident memory of a process without sockets, and what an idle socket holds in it, without the buffers of the operating system. */
  readonly bytes: { readonly process: number; readonly socket: number };
}

const FILE = new URL("../costs.json", import.meta.url);

/** Reads the costs that were measured last. */
export async function readCosts(): Promise<FleetCosts> {
  return JSON.parse(await readFile(FILE, "utf8")) as FleetCosts;
}

export async function writeCosts(costs: FleetCosts): Promise<void> {
  await writeFile(FILE, `${JSON.stringify(costs, null, 2)}\n`);
}
