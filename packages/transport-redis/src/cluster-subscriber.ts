import { type Cluster, Command, type Redis } from "ioredis";
import type { ConnectionSettings } from "./redis-source.ts";
import { type Hearer, type HearerListener, Subscriber } from "./subscriber.ts";

/** The parts of a {@link ClusterSubscriber}. */
export interface ClusterSubscriberOptions extends HearerListener {
  /** Knows which node has which slots. It is connected by its owner. */
  readonly cluster: Cluster;
  /** How the connections are used that hear. */
  readonly settings: ConnectionSettings;
}

const RETRY_STEP_MS = 50;
const MAX_RETRY_MS = 2_000;

/**
 * Hears channels of sharded pub/sub in a cluster, each from the node that has its slot: one {@link Subscriber} for each master. A node that
 * is away takes its own channels with it, and no others. Where the slots are is asked for whenever a node is lost or has given some away.
 */
export class ClusterSubscriber implements Hearer {
  readonly #options: ClusterSubscriberOptions;
  readonly #prefix: string;
  /** The channels to hear, with the node that each is heard from; null while none is known. */
  readonly #channels = new Map<string, string | null>();
  readonly #nodes = new Map<string, Subscriber>();
  /** The nodes whose channels are not heard. */
  readonly #unheard = new Set<string>();
  #isOpen = false;

  constructor(options: ClusterSubscriberOptions) {
    this.#options = options;
    this.#prefix = options.cluster.options.keyPrefix ?? "";
    options.cluster.on("refresh", () => void this.#place());
  }

  async hear(channel: string): Promise<void> {
    this.#channels.set(channel, null);
    await this.#placeOne(channel);
  }

  leave(channel: string): void {
    this.#leaveNode(channel);
    this.#channels.delete(channel);
  }

  open(): void {
    this.#isOpen = true;
    void this.#place();
  }

  close(): void {
    this.#isOpen = false;
    for (const key of [...this.#nodes.keys()]) {
      this.#drop(key);
    }
  }

  /** Hears each channel from the node that has its slot now. */
  async #place(): Promise<void> {
    if (!this.#isOpen) {
      return;
    }
    const masters = new Map(this.#options.cluster.nodes("master").map((node) => [keyOf(node), node]));
    for (const [key, node] of masters) {
      if (!this.#nodes.has(key)) {
        this.#add(key, node);
      }
    }
    const gone = [...this.#nodes.keys()].filter((key) => !masters.has(key));
    const wereUnheard = gone.some((key) => this.#unheard.has(key));
    for (const key of gone) {
      this.#drop(key);
    }
    await Promise.all([...this.#channels.keys()].map((channel) => this.#placeOne(channel)));
    if (wereUnheard && this.#isOpen) {
      // Other nodes have the slots of those that were away.
      this.#options.onHearing(this.#unheard.size === 0);
    }
  }

  async #placeOne(channel: string): Promise<void> {
    const key = this.#options.cluster.slots[this.#slotOf(channel)]?.[0] ?? null;
    const node = key === null ? undefined : this.#nodes.get(key);
    if (node !== undefined && this.#channels.get(channel) !== key) {
      this.#leaveNode(channel);
      this.#channels.set(channel, key);
      await node.hear(channel);
    }
  }

  #leaveNode(channel: string): void {
    const key = this.#channels.get(channel) ?? null;
    if (key !== null) {
      this.#nodes.get(key)?.leave(channel);
    }
  }

  #add(key: string, node: Redis): void {
    const { cluster, settings, ...listener } = this.#options;
    const retryStrategy = (attempt: number) => Math.min(attempt * RETRY_STEP_MS, MAX_RETRY_MS);
    const subscriber = new Subscriber({
      ...listener,
      // The channels of one command have to be in one slot.
      channelsAtOnce: 1,
      connection: () => node.duplicate({ ...settings, keyPrefix: this.#prefix, readOnly: false, retryStrategy, lazyConnect: true }),
      onLost: (reason) => this.#lost(key, reason),
      onHearing: () => this.#hearing(key),
      onMoved: () => this.#look(),
    });
    this.#nodes.set(key, subscriber);
    this.#unheard.add(key);
    subscriber.open();
  }

  #drop(key: string): void {
    this.#nodes.get(key)?.close();
    this.#nodes.delete(key);
    this.#unheard.delete(key);
    for (const channel of [...this.#channels].flatMap(([one, node]) => (node === key ? [one] : []))) {
      this.#channels.set(channel, null);
    }
  }

  /** It is called with each attempt to connect that fails, so that another node that took over is found. */
  #lost(key: string, reason: string | null): void {
    this.#unheard.add(key);
    // A channel that was asked for at the wrong node is no refusal.
    this.#options.onLost(reason?.startsWith("MOVED") === true ? null : reason);
    this.#look();
  }

  #hearing(key: string): void {
    this.#unheard.delete(key);
    this.#options.onHearing(this.#unheard.size === 0);
  }

  /** Has the cluster say where the slots are. */
  #look(): void {
    const { cluster } = this.#options;
    if (this.#isOpen && cluster.status === "ready") {
      cluster.refreshSlotsCache();
    }
  }

  #slotOf(channel: string): number {
    return new Command("get", [channel], { keyPrefix: this.#prefix }).getSlot();
  }
}

function keyOf({ options: { host, port } }: Redis): string {
  return `${host}:${port}`;
}
