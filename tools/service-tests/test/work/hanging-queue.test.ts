import { type JobQueues, NotificationService } from "@belfry/core";
import { recorder } from "@belfry/testkit/host";
import { expect, onTestFinished, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";

onEveryStorage((database) => {
  test("while a queue that is away leaves an offer unanswered, what is created is delivered at once", async () => {
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    let offers = 0;
    const worker: JobQueues = {
      open: () => ({
        async add() {
          offers += 1;
          if (offers > 1) {
            await answered;
          }
          throw new Error("The queue is away.");
        },
        async close() {},
      }),
    };
    const channel = recorder({ isAddress: () => true });
    const service = new NotificationService({ storage: database.storage(), channels: [channel], worker, logger: silent });
    onTestFinished(() => service.stop());
    onTestFinished(() => answer());
    await service.start();
    const send = (to: string) => service.create({ channels: ["email"], to, message: "Hello" });
    const reached = (to: string) => expect.poll(() => channel.of(to).length).toBe(1);
    await send("first");
    await reached("first");
    // It offers jobs once a second.
    await expect
      .poll(async () => {
        await send("more");
        return offers;
      })
      .toBe(2);
    await send("last");
    await reached("last");
  });
});
