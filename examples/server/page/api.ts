/** A user of the demo, with a token for the contract `native`. */
export interface User {
  readonly id: string;
  readonly name: string;
  readonly token: string;
}

/** A notification that the page created, with what became of it. */
export interface Followed {
  readonly id: string;
  readonly type: string;
  readonly title: string;
  readonly createdAt: string;
  readonly deliveries: readonly {
    readonly user: string;
    readonly channel: string;
    readonly status: string;
    readonly reason: string | null;
    readonly dueAt: string | null;
  }[];
}

/** A mail that would have been sent. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly sentAt: string;
}

/** What happened lately, the newest first. */
export interface Happened {
  readonly notifications: readonly Followed[];
  readonly mails: readonly Mail[];
}

/** What the form creates. */
export interface Wish {
  readonly type: string;
  /** Who gets a mention. */
  readonly user: string;
  readonly text: string;
}

/** Asks the host. Rejects with its words when it refuses. */
export async function ask<Answer>(path: string, { token, ...init }: RequestInit & { readonly token?: string } = {}): Promise<Answer> {
  const headers = { "content-type": "application/json", ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  const response = await fetch(path, { ...init, headers });
  if (!response.ok) {
    throw new Error(`${path} was answered ${response.status}: ${await response.text()}`);
  }
  return (await response.json()) as Answer;
}
