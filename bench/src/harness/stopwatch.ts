import { readServerCpu, type ServerCpu, serverCpuBetween } from "./server-cpu.ts";

/** What a slice took. */
export interface Taken {
  readonly tookMs: number;
  /** CPU of this process, all threads. */
  readonly cpuMicros: number;
  /** CPU of the database server's processes; 0 without one on this machine. */
  readonly serverMicros: number;
}

interface Reading {
  readonly atMs: number;
  readonly cpu: NodeJS.CpuUsage;
  readonly server: ServerCpu;
}

/** Measures one slice: time, and CPU of this process and of the database server. */
export class Stopwatch {
  readonly #serverPid: number | null;
  #total: Taken = { tookMs: 0, cpuMicros: 0, serverMicros: 0 };
  #started: Reading;

  /** Starts. */
  constructor(serverPid: number | null) {
    this.#serverPid = serverPid;
    this.#started = this.#read();
  }

  /** Runs what the slice is not to be charged for. */
  async without<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    this.stop();
    try {
      return await work();
    } finally {
      this.#started = this.#read();
    }
  }

  /** Stops, and answers with what was taken in all. */
  stop(): Taken {
    const { atMs, cpu, server } = this.#started;
    const tookMs = performance.now() - atMs;
    const { user, system } = process.cpuUsage(cpu);
    const serverMicros = this.#serverPid === null ? 0 : serverCpuBetween(server, readServerCpu(this.#serverPid));
    this.#total = {
      tookMs: this.#total.tookMs + tookMs,
      cpuMicros: this.#total.cpuMicros + user + system,
      serverMicros: this.#total.serverMicros + serverMicros,
    };
    return this.#total;
  }

  #read(): Reading {
    const server = this.#serverPid === null ? new Map() : readServerCpu(this.#serverPid);
    return { server, cpu: process.cpuUsage(), atMs: performance.now() };
  }
}
