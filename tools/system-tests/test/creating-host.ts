import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { bundledProgram } from "../../../test/bundled-program.ts";

const PROGRAM = bundledProgram(new URL("./processes/creating-host.ts", import.meta.url));

/** A request to a host to create a notification. */
export interface CreateRequest {
  readonly number: number;
  readonly to: string | readonly string[];
  readonly title: string;
}

/** The answer to a request; number 0 says that the host is ready. */
export interface CreateAnswer {
  readonly number: number;
  /** The error's message; null if there was none. */
  readonly failure: string | null;
}

/** A separate process that creates notifications in a database. */
export class CreatingHost {
  readonly child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #asked = new Map<number, (answer: CreateAnswer) => void>();
  readonly #ready: Promise<CreateAnswer>;
  #last = 0;

  constructor(url: string) {
    this.child = fork(PROGRAM, {
      env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, DATABASE_URL: url },
    });
    this.#exited = once(this.child, "exit");
    this.#ready = this.#answerTo(0);
    this.child.on("message", (answer: CreateAnswer) => {
      this.#asked.get(answer.number)?.(answer);
      this.#asked.delete(answer.number);
    });
    this.child.on("exit", () => {
      for (const [number, settle] of this.#asked) {
        settle({ number, failure: "the process ended" });
      }
    });
  }

  /** Resolves once it has opened its storage. */
  async ready(): Promise<this> {
    const { failure } = await this.#ready;
    if (failure !== null) {
      throw new Error(`The host did not start: ${failure}`);
    }
    return this;
  }

  /** Lets it create a notification and resolves with the answer. */
  create(to: string | readonly string[], title: string): Promise<CreateAnswer> {
    this.#last += 1;
    const request: CreateRequest = { number: this.#last, to, title };
    this.child.send(request);
    return this.#answerTo(request.number);
  }

  /** Tells it to end and resolves once it has ended. */
  async stop(): Promise<void> {
    if (this.child.connected) {
      this.child.disconnect();
    }
    await this.#exited;
  }

  #answerTo(number: number): Promise<CreateAnswer> {
    return new Promise((resolve) => this.#asked.set(number, resolve));
  }
}
