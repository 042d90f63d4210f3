/** One notification to create, with a content of its own. */
export interface CreateJob {
  readonly userId: string;
  readonly content: string;
}

/** Sends a job to the server at `url`. */
export type Ask = (url: string, job: CreateJob) => Promise<Response>;

/** The key of every server that the tests start. */
export const API_KEY = "the key of the system tests";

/** How long a client waits before it repeats a failed create. */
const RETRY_MS = 50;

/**
 * Clients that create notifications over HTTP, each at one of several servers, and repeat a failed create at the next
 * server until it is acknowledged. They keep a ledger of their requests and the answers.
 */
export class HttpCreates {
  /** The contents that a server accepted. */
  readonly acknowledged = new Set<string>();
  /** How often each answer came; "lost" counts missing answers. */
  readonly answers = new Map<number | "lost", number>();
  /** How often each content was sent. */
  readonly attempts = new Map<string, number>();
  readonly #servers: () => readonly string[];
  readonly #ask: Ask;

  /** @param servers returns the URLs of the servers at the moment */
  constructor(servers: () => readonly string[], ask: Ask) {
    this.#servers = servers;
    this.#ask = ask;
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
      const { status, isDone } = await this.#try(urls[server % urls.length] ?? "", job);
      this.answers.set(status, (this.answers.get(status) ?? 0) + 1);
      if (isDone) {
        this.acknowledged.add(job.content);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  async #try(url: string, job: CreateJob): Promise<{ readonly status: number | "lost"; readonly isDone: boolean }> {
    try {
      const response = await this.#ask(url, job);
      await response.arrayBuffer();
      return { status: response.status, isDone: response.ok };
    } catch {
      // The server is gone, or died while it answered.
      return { status: "lost", isDone: false };
    }
  }
}

/** Creates an item in the user's inbox. */
export function postToPack(url: string, { userId, content }: CreateJob): Promise<Response> {
  return post(`${url}/api/notifications/create`, {}, { user_id: userId, content });
}

/** Creates a webhook to `receiver`. It may be repeated: the content is the idempotency key. */
export function postWebhook(receiver: string): Ask {
  return (url, { content }) => {
    const headers = { "x-api-key": API_KEY, "idempotency-key": content };
    return post(`${url}/api/v1/notifications`, headers, { type: "webhook", recipients: [receiver], content });
  };
}

function post(url: string, headers: Readonly<Record<string, string>>, body: unknown): Promise<Response> {
  return fetch(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });
}
