import { type Answer, LoadProcess } from "../load/load-process.ts";

/**
 * Has two processes create one notification for very many users, one after the other: one watches its event loop, the other one what it
 * holds. To see that, it collects its garbage all the time, which blocks the loop. Each is a process of its own, so that the heap of one is not
 * that of the next.
 */
export async function watchCreate(target: string, task: object): Promise<Answer> {
  const answers: Answer[] = [];
  for (const isCollecting of [false, true]) {
    const creating = new LoadProcess("./fan-out-process.ts", [target]);
    answers.push(await creating.ask({ ...task, isCollecting }));
    creating.stop();
  }
  return Object.assign({}, ...answers);
}
