import { confirm, isCancel } from "@clack/prompts";
import type { CommandContext } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { Failure, wrongUsage } from "./failure.ts";

/** A question before something is changed. */
export interface Question {
  readonly message: string;
  /** Whether it was answered before, by `--yes`. */
  readonly isAnswered: boolean;
  /** What happens, for those who cannot be asked. */
  readonly what: string;
}

/** Asks whether to go on. Throws where nobody can be asked, and where the answer is no. */
export async function requireYes({ io, output }: CommandContext, { message, isAnswered, what }: Question): Promise<void> {
  if (isAnswered) {
    return;
  }
  if (!output.isInteractive) {
    throw wrongUsage(`${what} needs a yes, and there is no terminal to ask. Add --yes if you are sure.`);
  }
  const answer = await confirm({ message, initialValue: false, input: io.stdin, output: io.stderr, signal: io.signal });
  if (isCancel(answer) || !answer) {
    throw new Failure(EXIT.interrupted, "Nothing was changed.");
  }
}
