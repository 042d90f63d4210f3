import type { Channel, DeliveryOutcome, DeliveryTask, DevicePlatform } from "@belfry/core";

/** A channel that does what the recipient's name says, and keeps its tasks. */
export class ScriptedChannel implements Channel {
  readonly name: string;
  readonly retryDelaysMs = [1, 1];
  readonly timeoutMs = 60_000;
  readonly tasks: DeliveryTask[] = [];
  readonly takes?: string;
  readonly devices?: readonly DevicePlatform[];
  readonly #invalid: (recipient: string) => string | null;

  constructor(name: string, invalid: (recipient: string) => string | null, more: Pick<Channel, "takes" | "devices"> = {}) {
    this.name = name;
    this.#invalid = invalid;
    Object.assign(this, more);
  }

  isConfigured(tenant: string): boolean {
    return tenant !== "globex" || this.name !== "email";
  }

  invalidRecipient(recipient: string): string | null {
    return this.#invalid(recipient);
  }

  async deliver(task: DeliveryTask): Promise<DeliveryOutcome> {
    this.tasks.push(task);
    const { recipient, id } = task;
    if (recipient.includes("gone")) {
      return { status: "failed", transient: false, provider: this.name, error: "It is gone.", response: "410" };
    }
    if (recipient.includes("busy")) {
      return { status: "failed", transient: true, provider: this.name, error: "It is busy.", response: "503" };
    }
    const status = recipient.includes("taken") ? "sent" : "delivered";
    return { status, provider: this.name, response: "250 2.0.0 OK", messageId: `message-${id}` };
  }
}

/** Makes the channels over which the suite sends. */
export function scriptedChannels(): Readonly<Record<"email" | "webhook" | "sms" | "push", ScriptedChannel>> {
  return {
    sms: new ScriptedChannel("sms", (to) => (/^\+\d+$/.test(to) ? null : "is no number"), { takes: "numbers that begin with a +" }),
    push: new ScriptedChannel("push", (to) => (to.startsWith("{") ? null : "is no device"), { devices: ["fcm"] }),
    email: new ScriptedChannel("email", (to) => (/^[^@\s,]+@[^@\s,]+$/.test(to) ? null : "is no plain address")),
    webhook: new ScriptedChannel("webhook", (to) => (/^https:\/\/[^@]+$/.test(to) ? null : "is no https URL")),
  };
}
