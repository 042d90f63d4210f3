import { afterEach } from "vitest";

type Task = () => unknown;

/** Tasks that clean up: they run the last one first, each once, even if one of them fails. */
export class Cleanups {
  readonly #tasks: Task[] = [];

  readonly add = (task: Task): void => void this.#tasks.push(task);

  readonly run = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const task of this.#tasks.splice(0).reverse()) {
      try {
        await task();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) {
      throw new AggregateError(failures, "What a test left behind could not be cleaned up.");
    }
  };
}

/** Runs a test's cleanup tasks after that test. */
export function useCleanup(): (task: Task) => void {
  const cleanups = new Cleanups();
  afterEach(cleanups.run);
  return cleanups.add;
}
