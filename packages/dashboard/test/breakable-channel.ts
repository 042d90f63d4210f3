import type { Channel, DeliveryOutcome } from "@belfry/core";

/** A channel whose deliveries fail until it is repaired: for good, unless it has times for retries. */
export class BreakableChannel implements Channel {
  readonly name: string;
  readonly retryDelaysMs: readonly number[];
  readonly timeoutMs = 60_000;
  readonly takes = "telephone numbers, such as +4912345";
  isBroken = true;

  constructor(name = "sms", retryDelaysMs: readonly number[] = []) {
    this.name = name;
    this.retryDelaysMs = retryDelaysMs;
  }

  invalidRecipient(recipient: string): string | null {
    return recipient.startsWith("+") ? null : "is no telephone number";
  }

  async deliver(): Promise<DeliveryOutcome> {
    return this.isBroken
      ? {
          status: "failed",
          transient: this.retryDelaysMs.length > 0,
          error: "The gateway has no signal.",
          provider: "gateway",
          response: "503 NO SIGNAL",
        }
      : { status: "delivered", provider: "gateway", response: "200 OK", messageId: "m-1" };
  }
}
