import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** A separate process that puts load on a server in this one, so that its work is not measured with the server's. */
export class LoadProcess {
  readonly #child: ChildProcess;

  /** @param script the file in this directory that it runs */
  constructor(script: string) {
    this.#child = fork(fileURLToPath(new URL(script, import.meta.url)), { execArgv: [] });
  }

  /** Sends it a task, and resolves with its answer. */
  ask(task: object): Promise<Record<string, number>> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null) => reject(new Error(`The load generator ended with ${code}.`));
      this.#child.once("exit", onExit);
      this.#child.once("message", (answer) => {
        this.#child.off("exit", onExit);
        resolve(answer as Record<string, number>);
      });
      this.#child.send(task);
    });
  }

  stop(): void {
    this.#child.removeAllListeners("exit");
    this.#child.kill();
  }
}
