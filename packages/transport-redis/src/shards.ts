/** Who follows which shard here: see {@link Shards}. */
interface Followed {
  followers: number;
  readonly heard: Promise<void>;
}

/** Begins and ends the hearing of a shard. */
export interface Hearing {
  /** Resolves once signals of a shard arrive, or once that is known to be impossible for now. */
  hear(shard: number): Promise<void>;
  leave(shard: number): void;
}

/**
 * The shards whose signals this process hears: those that one of its feeds is in. A feed is in the shard that the hash of its name says, in
 * every process.
 */
export class Shards {
  readonly #count: number;
  readonly #hearing: Hearing;
  readonly #followed = new Map<number, Followed>();

  /** @param count how many there are: the same in every process */
  constructor(count: number, hearing: Hearing) {
    this.#count = count;
    this.#hearing = hearing;
  }

  shardOf(feed: string): number {
    return hashOf(feed) % this.#count;
  }

  follow(feed: string): Promise<void> {
    const shard = this.shardOf(feed);
    const known = this.#followed.get(shard);
    if (known !== undefined) {
      known.followers += 1;
      return known.heard;
    }
    const heard = this.#hearing.hear(shard);
    this.#followed.set(shard, { followers: 1, heard });
    return heard;
  }

  unfollow(feed: string): void {
    const shard = this.shardOf(feed);
    const known = this.#followed.get(shard);
    if (known !== undefined) {
      known.followers -= 1;
      if (known.followers === 0) {
        this.#followed.delete(shard);
        this.#hearing.leave(shard);
      }
    }
  }
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a of the characters, with a last step that spreads names which differ only at their ends. */
function hashOf(text: string): number {
  let hash = FNV_OFFSET;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), FNV_PRIME);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
