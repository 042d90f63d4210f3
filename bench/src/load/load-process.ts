import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What a load generator answers. */
export type Answer = Readonly<Record<string, number>>;

/** A separate process that puts load on a server in this one, so that its work is not measured with the server's. */
export class LoadProcess {
  readonly #child: ChildProcess;

  /** @param script the file in this directory that it runs */
  constructor(script: string, args: readonly string[] = []) {
    const file = fileURLToPath(new URL(script, import.meta.url));
    this.#child = fork(file, args, { execArgv: ["--conditions=@belfry/source"], serialization: "advanced" });
  }

  /** Sends it a task, and resolves with its answer. */
  ask<Reply = Answer>(task: object): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null) => reject(new Error(`The load generator ended with ${code}.`));
      // One that has ended before is no longer there to say so.
      if (!this.#child.connected) {
        onExit(this.#child.exitCode);
        return;
      }
      this.#child.once("exit", onExit);
      this.#child.once("message", (answer) => {
        this.#child.off("exit", onExit);
        resolve(answer as Reply);
      });
      this.#child.send(task);
    });
  }

  stop(): void {
    this.#child.removeAllListeners("exit");
    this.#child.kill();
  }
}
