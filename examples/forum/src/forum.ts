import { randomUUID } from "node:crypto";
import type { Database, Post, Reply } from "./database.ts";
import type { ForumNotifications } from "./notifications.ts";

/** A user's words that start a discussion. */
export interface NewPost {
  readonly title: string;
  readonly text: string;
  /** When it is of no use any longer, such as the end of a poll: what has not gone out by then is left out. @default never */
  readonly closesAt?: string | undefined;
}

/** What people do in the forum. Each change is one transaction, which holds the notifications about it, too; its author follows the post after it. */
export class Forum {
  readonly #database: Database;
  readonly #notifications: ForumNotifications;

  constructor(database: Database, notifications: ForumNotifications) {
    this.#database = database;
    this.#notifications = notifications;
  }

  /** Starts a discussion. Its author follows it; all others are told. */
  async post(author: string, { title, text, closesAt }: NewPost): Promise<Post> {
    const post = { id: randomUUID(), author, title, text };
    // A transaction of better-sqlite3 cannot await anything, so what it writes is checked and rendered before it.
    const news = await this.#notifications.prepare({
      type: "post",
      to: this.#database.users().map(({ id }) => id),
      except: author,
      actor: author,
      group: threadOf(post),
      data: dataOf(post, { ...post, path: `/posts/${post.id}` }),
      ...(closesAt !== undefined && { expiresAt: closesAt }),
    });
    this.#database.transaction((tx) => {
      this.#database.addPost(post);
      news.write(tx);
    });
    await this.follow(post, author);
    return post;
  }

  /** Lets a user hear of all replies to a post. It may be repeated. */
  async follow(post: Post, user: string): Promise<void> {
    await this.#notifications.topics.subscribe(threadOf(post), user);
  }

  /** Answers a post. The users whom it mentions as `@ann` get a notification of their own, all others who follow the post another. */
  async reply(author: string, post: Post, text: string): Promise<Reply> {
    const reply = { id: randomUUID(), postId: post.id, author, text };
    const about = { actor: author, group: threadOf(post), data: dataOf(post, { ...reply, path: `/posts/${post.id}#${reply.id}` }) };
    const mentioned = this.#mentionedIn(text).filter((name) => name !== author);
    const except = [author, ...mentioned];
    const batches = [await this.#notifications.prepare({ ...about, type: "reply", topic: threadOf(post), except })];
    if (mentioned.length > 0) {
      batches.push(await this.#notifications.prepare({ ...about, type: "mention", to: mentioned, priority: "urgent" }));
    }
    this.#database.transaction((tx) => {
      for (const batch of batches) {
        batch.write(tx);
      }
      this.#database.addReply(reply);
    });
    await this.follow(post, author);
    return reply;
  }

  /** The users whom a text mentions. */
  #mentionedIn(text: string): string[] {
    const names = [...text.matchAll(/@(\w+)/g)].map(([, name = ""]) => name);
    return this.#database.usersOf(names).map(({ id }) => id);
  }
}

/** The topic of a post, which those who follow it subscribe to, and by which all notifications about it and its replies are grouped. */
function threadOf({ id }: Post): string {
  return `post:${id}`;
}

/** The data of a notification about what somebody wrote, with the first 200 characters of it. */
function dataOf(post: Post, { author, path, text }: { readonly author: string; readonly path: string; readonly text: string }) {
  return { path, postTitle: post.title, author, excerpt: [...text].slice(0, 200).join("") };
}
