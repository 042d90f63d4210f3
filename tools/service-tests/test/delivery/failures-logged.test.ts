import { type Logger, NotificationService } from "@belfry/core";
import { recorder, testClock } from "@belfry/testkit/host";
import { expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

onEveryStorage((database) => {
  test("failed attempts are logged once a minute for each channel, without addresses and what the provider said", async () => {
    const lines: [object, string][] = [];
    const logger: Logger = { ...silent, warn: (fields, message) => void lines.push([fields, message]) };
    const clock = testClock(new Date("2030-01-01T00:00:00Z"));
    const error = "550 ann@example.com: the password hunter2 is wrong";
    const codes: Readonly<Record<string, string>> = { email: "550 5.1.1", sms: "no such number: tel:ann@example.com" };
    const channels = ["email", "sms"].map((name) =>
      recorder({ name, answer: () => ({ status: "failed", transient: false, error, code: codes[name] ?? "" }) }),
    );
    const service = stopsAfterTest(new NotificationService({ storage: database.storage(), clock, channels, logger }));
    const send = async (to: { readonly email: string } | { readonly sms: string }) => {
      const { notification } = await service.create({ to, title: "Hello" });
      await service.runDue();
      return notification.id;
    };
    const first = await send({ email: "ann@example.com" });
    await send({ email: "bob@example.com" });
    await send({ sms: "tel:ann@example.com" });
    const said = (channel: string) => `An attempt over the channel ${channel} failed; the delivery says why.`;
    expect(lines.map(([, message]) => message)).toEqual([said("email"), said("sms")]);
    expect(lines[0]?.[0]).toMatchObject({ channel: "email", notificationId: first, attempt: 1, code: "550 5.1.1" });
    expect(lines[1]?.[0]).not.toHaveProperty("code");
    await clock.skip(60_000);
    await send({ email: "ann@example.com" });
    expect(lines.slice(2)).toMatchObject([[{ channel: "email", timesSinceTheLastLine: 2 }, said("email")]]);
    expect(JSON.stringify(lines)).not.toMatch(/example|hunter2/);
  });
});
