import type { Channel, DeliveryOutcome } from "@belfry/core";

/** A channel whose deliveries fail for good until it is repaired. */
export class BreakableChannel implements Channel {
  readonly name: string;
  readonly retryDelaysMs: readonly number[] = [];
  readonly timeoutMs = 1_000;
  readonly takes = "telephone numbers, such as +4912345";
  isBroken = true;

  constructor(name = "sms") {
    this.name = name;
  }

  invalidRecipient(recipient: string): string | null {
    return recipient.startsWith("+") ? null : "is no telephone number";
  }

  async deliver(): Promise<DeliveryOutcome> {
    return this.isBroken
      ? { status: "failed", transient: false, error: "The gateway has no signal.", provider: "gateway", response: "503 NO SIGNAL" }
      : { status: "delivered", provider: "gateway", response: "200 OK", messageId: "m-1" };
  }
}
