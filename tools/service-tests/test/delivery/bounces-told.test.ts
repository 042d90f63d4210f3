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

  test.each([
    ["before", "twice", [1, 2]],
    ["after", "twice", [2, 3]],
    ["before", "once", [1]],
    ["after", "once", [2]],
  ] as const)("a bounce counts where the storage cannot be asked %s it about the address, %s", async (_, often, failing) => {
    const { storage, service, told, logged, mail } = withoutMailboxes();
    const of = storage.suppressions.of.bind(storage.suppressions);
    let looks = 0;
    vi.spyOn(storage.suppressions, "of").mockImplementation(async (...asked) => {
      looks += 1;
      // Whether the mail goes out asks for no address: the tenant has none that is suppressed.
      if (failing.some((look) => look === looks)) {
        throw new BelfryError("STORAGE_UNAVAILABLE", "The connection was lost.");
      }
      return await of(...asked);
    });
    const { notification } = await mail("ann@example.com");
    await service.runDue();
    const { deliveries } = await service.deliveries(notification.id);
    expect(deliveries).toMatchObject([{ status: "failed", attempts: [{ status: "failed", error: "refused" }] }]);
    expect(await service.suppressions.get("email", "ann@example.com")).toMatchObject({ reason: "hard_bounce" });
    const failed = "An attempt over the channel email failed; the delivery says why.";
    const unseen = "Belfry could not see which addresses were suppressed; the event address.suppressed may be missing.";
    expect([told, logged]).toEqual(often === "once" ? [["ann@example.com"], [failed]] : [[], [failed, unseen]]);
  });

  test("a bounce is told of once where its transaction was committed and the answer was lost with the connection", async () => {
    const { storage, service, told, mail } = withoutMailboxes();
    const settle = storage.deliveries.settle.bind(storage.deliveries);
    let writes = 0;
    vi.spyOn(storage.deliveries, "settle").mockImplementation(async (selection, ...how) => {
      await settle(selection, ...how);
      writes += selection.kind === "deliveries" ? 1 : 0;
      if (writes === 1) {
        throw new BelfryError("STORAGE_UNAVAILABLE", "The connection was lost.");
      }
    });
    await mail("ann@example.com");
    await service.runDue();
    expect(told).toEqual(["ann@example.com"]);
    await mail("ann@example.com");
    await service.runDue();
    expect([told.length, writes > 1]).toEqual([1, true]);
  });

  test("a receipt that is reported again tells of the address that it had suppressed before its answer was lost", async () => {
    const { storage, service, told } = withoutMailboxes();
    const change = storage.suppressions.change.bind(storage.suppressions);
    vi.spyOn(storage.suppressions, "change").mockImplementationOnce(async (...given) => {
      await change(...given);
      throw new BelfryError("STORAGE_UNAVAILABLE", "The connection was lost.");
    });
    const receipt = { kind: "complaint", address: "ann@example.com" } as const;
    await expect(service.receipts.record(receipt)).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
    expect(told).toEqual([]);
    await service.receipts.record(receipt);
    await service.receipts.record(receipt);
    expect(told).toEqual(["ann@example.com"]);
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
