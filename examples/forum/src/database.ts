import Sqlite from "better-sqlite3";

/** Somebody who may sign in. */
export interface User {
  readonly id: string;
  readonly email: string;
  /** The language of their mails, such as `de`. */
  readonly locale: string;
}

/** What somebody wrote to start a discussion. */
export interface Post {
  readonly id: string;
  readonly author: string;
  readonly title: string;
  readonly text: string;
}

/** An answer to a post. */
export interface Reply {
  readonly id: string;
  readonly postId: string;
  readonly author: string;
  readonly text: string;
}

/** The forum's own tables. Belfry keeps its tables in the same file. */
export class Database {
  readonly file: string;
  readonly #sqlite: Sqlite.Database;

  /** Opens the database, and makes the tables that are missing. */
  constructor(file: string) {
    this.file = file;
    this.#sqlite = new Sqlite(file);
    this.#sqlite.pragma("journal_mode = WAL");
    this.#sqlite.exec(`
      CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, email TEXT NOT NULL, locale TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS posts (id TEXT PRIMARY KEY, author TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS replies (id TEXT PRIMARY KEY, postId TEXT NOT NULL, author TEXT NOT NULL, text TEXT NOT NULL);
    `);
  }

  /** Runs `write` in one transaction, which it hands over: what `write` throws undoes all of it. */
  transaction(write: (tx: Sqlite.Database) => void): void {
    this.#sqlite.transaction(() => write(this.#sqlite)).immediate();
  }

  addUser(user: User): void {
    this.#sqlite.prepare("INSERT OR REPLACE INTO users (id, email, locale) VALUES (@id, @email, @locale)").run(user);
  }

  users(): readonly User[] {
    return this.#sqlite.prepare<[], User>("SELECT * FROM users ORDER BY id").all();
  }

  /** The users among `ids`. */
  usersOf(ids: readonly string[]): readonly User[] {
    return this.#sqlite
      .prepare<[string], User>("SELECT * FROM users WHERE id IN (SELECT value FROM json_each(?))")
      .all(JSON.stringify(ids));
  }

  addPost(post: Post): void {
    this.#sqlite.prepare("INSERT INTO posts (id, author, title, text) VALUES (@id, @author, @title, @text)").run(post);
  }

  post(id: string): Post | undefined {
    return this.#sqlite.prepare<[string], Post>("SELECT * FROM posts WHERE id = ?").get(id);
  }

  addReply(reply: Reply): void {
    this.#sqlite.prepare("INSERT INTO replies (id, postId, author, text) VALUES (@id, @postId, @author, @text)").run(reply);
  }

  replies(postId: string): readonly Reply[] {
    return this.#sqlite.prepare<[string], Reply>("SELECT * FROM replies WHERE postId = ? ORDER BY rowid").all(postId);
  }

  close(): void {
    this.#sqlite.close();
  }
}
