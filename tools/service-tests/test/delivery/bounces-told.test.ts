import { BelfryError, type Channel, NotificationService } from "@belfry/core";
import { recorder, testClock } from "@belfry/testkit/host";
import { expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

onEveryStorage((database) => {
  /** A service whose mail server knows nobody, with what it told its listeners and the log. */
  function withoutMailboxes() {
    const storage = database.storage();
    const email: Channel = {
      ...recorder(),
      async deliver() {
        return { status: "failed", transient: false, provider: "smtp", error: "refused", isHardBounce: true };
      },
    };
    const told: string[] = [];
    const logged: string[] = [];
    const log = (_: object, message: string) => void logged.push(message);
    const logger = { ...silent, warn: log, error: log };
    const service = stopsAfterTest(new NotificationService({ storage, clock: testClock(), channels: [email], logger }));
    service.on("address.suppressed", ({ address }) => void told.push(address));
    const mail = (address: string) => service.create({ to: { email: address }, title: "Hello", message: "World" });
    return { storage, service, told, logged, mail };
  }

  test("an address at which several mails bounce at once is told of once", async () => {
    const { service, told, mail } = withoutMailboxes();
    await Promise.all([mail("ann@example.com"), mail("ann@example.com"), mail("bob@example.com"), mail("ann@example.com")]);
    await service.runDue();
    expect(told.toSorted()).toEqual(["ann@example.com", "bob@example.com"]);
  });

  test.each(["before", "after"] as const)("a bounce counts where the storage cannot be asked %s it about the address", async (when) => {
    const { storage, service, told, logged, mail } = withoutMailboxes();
    const of = storage.suppressions.of.bind(storage.suppressions);
    let looks = 0;
    vi.spyOn(storage.suppressions, "of").mockImplementation(async (...asked) => {
      looks += 1;
      // Whether the mail goes out asks for no address: the tenant has none that is suppressed.
      if (looks === { before: 1, after: 2 }[when]) {
        throw new BelfryError("STORAGE_UNAVAILABLE", "The connection was lost.");
      }
      return await of(...asked);
    });
    const { notification } = await mail("ann@example.com");
    await service.runDue();
    const { deliveries } = await service.deliveries(notification.id);
    expect(deliveries).toMatchObject([{ status: "failed", attempts: [{ status: "failed", error: "refused" }] }]);
    expect(await service.suppressions.get("email", "ann@example.com")).toMatchObject({ reason: "hard_bounce" });
    expect([told, logged]).toEqual([
      [],
      [
        "An attempt over the channel email failed; the delivery says why.",
        "Belfry could not see which addresses were suppressed; the event address.suppressed may be missing.",
      ],
    ]);
  });

  test("a receipt says that it suppressed its address where the storage cannot be asked about it", async () => {
    const { storage, service } = withoutMailboxes();
    vi.spyOn(storage.suppressions, "of").mockRejectedValue(new BelfryError("STORAGE_UNAVAILABLE", "The connection was lost."));
    const receipt = { kind: "complaint", address: "ann@example.com" } as const;
    expect(await service.receipts.record(receipt)).toEqual({ outcome: "unknown", isSuppressed: true });
    vi.restoreAllMocks();
    expect(await service.suppressions.get("email", "ann@example.com")).toMatchObject({ reason: "complaint" });
  });
});
