/** One notification to be created, told from all others by its content. */
export interface CreateJob {
  readonly userId: string;
  readonly content: string;
}

/** How long a client waits before it tries again what failed. */
const RETRY_MS = 50;

/**
 * Clients that create notifications over HTTP, each at one of several servers, and try what fails again, at the next
 * server, until it is acknowledged: a ledger of what was asked for and what was answered.
 */
export class HttpCreates {
  /** Contents that a server answered for with 200. */
  readonly acknowledged = new Set<string>();
  /** How often each answer came; "lost" where none came. */
  readonly answers = new Map<number | "lost", number>();
  /** How often each content was asked for. */
  readonly attempts = new Map<string, number>();
  readonly #servers: () => readonly string[];

  /** @param servers where the servers are at the moment it is called */
  constructor(servers: () => readonly string[]) {
    this.#servers = servers;
  }

  /** Creates all of `jobs`, at most `inFlight` at once at each server, and resolves once all are acknowledged. */
  async run(jobs: IterableIterator<CreateJob>, inFlight: number): Promise<void> {
    const servers = this.#servers().length;
    const client = async (_: unknown, number: number) => {
      // All clients take from the same jobs.
      for (const job of jobs) {
        await this.#create(job, number);
      }
    };
    await Promise.all(Array.from({ length: servers * inFlight }, client));
  }

  async #create(job: CreateJob, client: number): Promise<void> {
    for (let server = client; ; server += 1) {
      const urls = this.#servers();
      this.attempts.set(job.content, (this.attempts.get(job.content) ?? 0) + 1);
      const answer = await post(urls[server % urls.length] ?? "", job);
      this.answers.set(answer, (this.answers.get(answer) ?? 0) + 1);
      if (answer === 200) {
        this.acknowledged.add(job.content);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

async function post(url: string, { userId, content }: CreateJob): Promise<number | "lost"> {
  try {
    const response = await fetch(`${url}/api/notifications/create`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ user_id: userId, content }),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    // The server is gone, or goes while it answers.
    return "lost";
  }
}
