import type { ProcessingOutcome, ProcessingTask, Processor } from "@belfry/core";

/** A processor that does what an event's content says: it fails at `fail`, waits for a release at `wait`, and else echoes prompt and content. */
export class ScriptedProcessor implements Processor {
  readonly name = "scripted";
  readonly timeoutMs = 60_000;
  readonly concurrency = 8;
  readonly retryDelaysMs = [1];
  readonly tasks: ProcessingTask[] = [];
  #release: () => void = () => {};
  #released = new Promise<void>((resolve) => {
    this.#release = resolve;
  });

  /** Lets all waiting tasks go on. */
  release(): void {
    this.#release();
  }

  async process(task: ProcessingTask): Promise<ProcessingOutcome> {
    this.tasks.push(task);
    const { content } = task.notification;
    if (content === "fail") {
      return { status: "failed", transient: false, error: "Failed to process notification: invalid format" };
    }
    if (content === "wait") {
      await this.#released;
    }
    return { status: "completed", text: `${task.prompt} ${content}` };
  }
}
