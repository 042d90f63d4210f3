import { EMPTY_EPOCH, type InboxCounts, type InboxItem, type ItemRef, type Owner } from "@belfry/core";
import { type InboxPage, type InboxQuery, type MatchingStep, type NewNotification, type Storage, storedItem } from "@belfry/core/storage";
import { expect } from "vitest";
import { at, type Fixture, seqsOf } from "../fixture.ts";
import { inTurn } from "../in-turn.ts";
import { type LoggedLine, linesOf } from "../inbox/change-log.ts";
import { changeMatching, removeRead } from "../steps.ts";
import { byGroup, byNotification, InboxModel } from "./inbox-model.ts";
import {
  type Draft,
  type Look,
  MODEL_CATEGORIES,
  MODEL_PRIORITIES,
  MODEL_TYPES,
  MODEL_USERS,
  type Operation,
  type Pick,
} from "./inbox-operations.ts";
import { choose, expectSame } from "./same.ts";

const NOBODYS_ID = "0198c000-0000-7000-8000-000000000000";
const EVERYTHING = 10_000;

class RolledBack extends Error {}

/** An operation of one kind. */
type Step<Kind extends Operation["do"]> = Extract<Operation, { readonly do: Kind }>;

/** Does the same things to a storage and to the model, in two tenants of its own, and compares what they answer. */
export class InboxRun {
  readonly #fixture: Fixture;
  readonly #model = new InboxModel();
  readonly #tenants: readonly string[];
  /** The tenant that had its turn at fan-outs last. */
  #served = "";
  readonly #epochs = new Map<string, string>();
  /** Another process, which is told nothing of what this one does; none where one process alone can use the storage. */
  #other: Storage | null = null;

  constructor(fixture: Fixture, run: number) {
    this.#fixture = fixture;
    this.#tenants = [`run ${run}`, `Run ${run}`];
  }

  /** Chunks are taken whosever they are, so none may be left by a run that failed. */
  async start(): Promise<void> {
    while (await this.#fixture.inbox.fanOutNext(at(0))) {
      // Each turn takes one.
    }
    this.#other = (await this.#fixture.subject.another?.()) ?? null;
  }

  async end(): Promise<void> {
    await this.#other?.close();
  }

  async apply(operation: Operation): Promise<void> {
    switch (operation.do) {
      case "create":
        return this.#create(operation);
      case "repeat":
        return this.#repeat(operation);
      case "transaction":
        return this.#transaction(operation);
      case "markRead":
      case "markUnread":
      case "remove":
        return this.#change(operation);
      case "mark":
        return this.#mark(operation);
      case "changeMatching":
        return this.#changeMatching(operation);
      case "applyDue":
        return this.#applyDue(operation);
      case "settleRemoved":
        return this.#settleRemoved(operation);
      case "markAllRead":
      case "markAllSeen":
      case "removeRead":
        return this.#sweep(operation);
      case "fanOut":
        return this.#fanOut(operation);
      case "fanOutNext":
        return this.#fanOutNext(operation);
      case "find":
        return this.#findOne(operation);
      case "pageThrough":
        return this.#pageThrough(operation);
      case "follow":
        return this.#follow(operation);
      case "renewEpochs":
        return this.#renewEpochs();
    }
  }

  /** Compares all of both tenants' items, of every inbox the counts and a page of some filtered list, and one inbox closely. */
  async check(look: Look): Promise<void> {
    const owners = this.#owners();
    const closely = choose(owners, look.inbox);
    await Promise.all([
      ...this.#tenants.map((tenant) => this.#checkTenant(tenant)),
      ...owners.map((owner) => (owner === closely ? this.#checkInbox(owner, look) : this.#checkList(owner, this.#query(owner, look)))),
    ]);
  }

  async #checkTenant(tenant: string): Promise<void> {
    const items = await this.#fixture.inbox.listTenant(tenant, EVERYTHING);
    const ids = items.map(({ id }) => id);
    expectSame(ids, ids.toSorted().toReversed());
    expectItems(items.toSorted(byNotification), this.#model.listTenant(tenant));
  }

  async #checkInbox(owner: Owner, look: Look): Promise<void> {
    const { counts } = await this.#checkList(owner, { status: "all", limit: EVERYTHING });
    expectSame(await this.#fixture.inbox.counts(owner), counts);
    const places = ["active", "snoozed"] as const;
    const counted = await this.#fixture.inbox.tally(owner, { places, withPriorities: true, limit: EVERYTHING });
    expectSame({ ...counted.counts, archived: counted.tallies.archived }, { ...counts, archived: [] });
    for (const place of places) {
      expectSame(counted.tallies[place].toSorted(byGroup), this.#model.alike(owner, place));
    }
    // An inbox that has not begun does not say it.
    expect(counts.lastSeq === 0 ? [null, 0] : [counts.unread]).toContain(await this.#fixture.inbox.unread(owner, new Date(0)));
    await this.#checkGroups(owner);
    await this.#checkPage(owner, this.#query(owner, look));
    await this.#checkLog(owner, look, counts);
  }

  /** Compares the newest changes, from a place that `look` gives. */
  async #checkLog(owner: Owner, { start, limit }: Look, counts: InboxCounts): Promise<void> {
    const after = Math.max(0, counts.rev - Math.round(start / 10));
    const logged = await this.#fixture.inbox.changesAfter(owner, after, limit);
    const expected = this.#model.log(owner).filter(({ rev }) => rev > after);
    const lines = linesOf(logged.changes).map(({ at: _, ...line }, index) => ({
      ...line,
      seqs: this.#seqsOf(owner, line, expected[index]?.seqs),
    }));
    expectSame({ counts: logged.counts, lines }, { counts, lines: expected.slice(0, limit) });
  }

  /** The numbers of a line. A deletion of everything read may name items that were deleted before it, too: those are left out. */
  #seqsOf(owner: Owner, { kind, seqs }: Omit<LoggedLine, "at">, expected: LoggedLine["seqs"] = null): LoggedLine["seqs"] {
    const isMore = (seq: number) => !expected?.includes(seq) && this.#model.absence(owner, { seq }) === "deleted";
    return kind === "deleted_read" && seqs !== null ? seqs.filter((seq) => !isMore(seq)) : seqs;
  }

  /** Compares the groups with a recount of their items. */
  async #checkGroups(owner: Owner): Promise<void> {
    const expected = this.#model.groups(owner);
    for (const status of ["all", "unread"] as const) {
      const { groups } = await this.#fixture.inbox.groups(owner, { status, limit: EVERYTHING });
      const seen = groups.map(({ newest, ...group }) => ({ ...group, newest: line(newest) }));
      const due = expected.filter(({ unread }) => status === "all" || unread > 0);
      expectSame({ owner, groups: seen }, { owner, groups: due.map(({ newest, ...group }) => ({ ...group, newest: line(newest) })) });
    }
  }

  /** Compares a page, also as it is read to be written out at once. */
  async #checkPage(owner: Owner, query: InboxQuery): Promise<readonly InboxItem[]> {
    const page = await this.#checkList(owner, query);
    expectSame(await this.#fixture.inbox.listStored(owner, query), { ...page, items: page.items.map(storedItem) });
    return page.items;
  }

  async #checkList(owner: Owner, query: InboxQuery): Promise<InboxPage> {
    const page = await this.#fixture.inbox.list(owner, query);
    const { items, counts, matching } = page;
    const { dueAt: _due, ...counted } = counts;
    const { before: _, offset: __, limit: ___, ...filter } = query;
    const expected = { ...this.#model.counts(owner), epoch: this.#epoch(owner, counts.epoch) };
    expectItems(items, this.#model.list(owner, query));
    expectSame({ owner, query, ...counted, matching }, { owner, query, ...expected, matching: this.#model.list(owner, filter).length });
    if (this.#other !== null) {
      expectSame(await this.#other.inbox.list(owner, query), page);
    }
    return page;
  }

  async #create({ drafts, skipBusy }: Step<"create">): Promise<void> {
    await this.#write(
      drafts.map((draft) => this.#entry(draft)),
      skipBusy,
    );
  }

  async #repeat({ written, draft }: Step<"repeat">): Promise<void> {
    const again = choose(this.#model.written, written);
    // Items that are still being fanned out belong to the fan-out.
    const done = again?.recipients.every(
      (userId) => this.#model.absence({ tenant: again.notification.tenant, userId }, again.notification.id) === "deleted",
    );
    await this.#write([this.#entry(draft), ...(again && done ? [again] : [])], false);
  }

  async #write(entries: readonly NewNotification[], skipBusy: boolean): Promise<void> {
    // A storage may replace and wake for a whole batch at once, in fewer changes than for one entry after another.
    const isTogether = entries.every(({ notification: { group, replaceKey } }) => group === null && replaceKey === null);
    for (const batch of isTogether ? [entries] : entries.map((entry) => [entry])) {
      const answers = await this.#fixture.inbox.createMany(batch, { skipBusy });
      const expected = batch.map((entry) => this.#model.create(entry));
      expect(answers.map((items) => items && seqsOf(items))).toEqual(expected);
    }
  }

  async #transaction({ drafts, commit }: Step<"transaction">): Promise<void> {
    const entries = drafts.map((draft) => this.#entry(draft));
    const told: (readonly number[])[] = [];
    const writes = (tx: unknown) =>
      entries.map((entry) => () => this.#fixture.inbox.createWithin(tx, entry, (items) => told.push(seqsOf(items))));
    const end = () => {
      if (!commit) {
        throw new RolledBack();
      }
    };
    const run = this.#fixture.subject.transaction((tx) => inTurn(...writes(tx), end));
    if (!commit) {
      await expect(run).rejects.toThrow(RolledBack);
      return;
    }
    await run;
    const expected = entries.map((entry) => this.#model.create(entry));
    if (told.length < expected.length) {
      await expect.poll(() => told.length, { timeout: 20_000, interval: 1 }).toBe(expected.length);
    }
    expect(told).toEqual(expected);
  }

  async #change(operation: Step<"markRead" | "markUnread" | "remove">): Promise<void> {
    const owner = this.#owner(operation);
    const refs = operation.picks.map((pick) => this.#ref(pick));
    const time = at(operation.second);
    const change = await this.#fixture.inbox[operation.do](owner, refs, time);
    const expected = this.#model[operation.do](owner, refs, time);
    expect({ found: seqsOf(change.items), changed: change.changed }).toEqual({ found: expected.found, changed: new Set(expected.changed) });
    expect(change.counts).toMatchObject(this.#model.counts(owner));
    if (operation.do !== "remove") {
      expectItems(
        change.items,
        expected.found.flatMap((seq) => this.#model.get(owner, { seq }) ?? []),
      );
    }
  }

  async #mark(operation: Step<"mark">): Promise<void> {
    const owner = this.#owner(operation);
    const refs = operation.picks.map((pick) => this.#ref(pick));
    const { mark, second, forSeconds, places } = operation;
    const where = places === null ? {} : { places };
    const marking = mark === "snoozed" ? { mark, at: at(second), until: at(second + forSeconds) } : { mark, at: at(second), ...where };
    const change = await this.#fixture.inbox.mark(owner, refs, marking);
    const expected = this.#model.mark(owner, refs, marking);
    expect({ found: seqsOf(change.items), changed: change.changed }).toEqual({ found: expected.found, changed: new Set(expected.changed) });
    expect(change.counts).toMatchObject(this.#model.counts(owner));
    if (mark !== "deleted" && mark !== "expired") {
      expectItems(
        change.items,
        expected.found.flatMap((seq) => this.#model.there(owner, { seq }) ?? []),
      );
    }
  }

  async #changeMatching(operation: Step<"changeMatching">): Promise<void> {
    const owner = this.#owner(operation);
    const { mark, places, filter, second, range } = operation;
    const { lastSeq } = this.#model.counts(owner);
    const [after, upTo] = range.map((part) => Math.round((lastSeq * part) / 100)) as [number, number];
    const step: MatchingStep = { mark, at: at(second), places, filter, after, upTo };
    const { changed, count, counts, revs } = await changeMatching(this.#fixture.inbox, owner, step);
    const expected = this.#model.changeMatching(owner, step);
    this.#model.noteSteps(owner, revs);
    expect({ changed, count }).toEqual({ changed: expected.changed.length, count: expected.count });
    expect(counts).toMatchObject(this.#model.counts(owner));
  }

  async #applyDue(operation: Step<"applyDue">): Promise<void> {
    const owner = this.#owner(operation);
    const applied = await this.#fixture.inbox.applyDue(owner, at(operation.second));
    if (applied === null) {
      throw new Error("Nobody else holds the inbox.");
    }
    const expected = this.#model.applyDue(owner, at(operation.second));
    for (const part of ["expired", "woken"] as const) {
      const { items, changed } = applied[part];
      expect({ part, found: seqsOf(items), changed }).toEqual({
        part,
        found: expected[part].found,
        changed: new Set(expected[part].changed),
      });
    }
    expect(applied.counts).toMatchObject(this.#model.counts(owner));
    await this.#checkDue(owner);
  }

  /** Takes one step, of one inbox, if there is any. Nothing is different after it. */
  async #settleRemoved({ limit }: Step<"settleRemoved">): Promise<void> {
    expect(await this.#fixture.inbox.settleRemoved({ after: null, limit })).toMatchObject({ removed: 0 });
  }

  /** An inbox is due when its first snoozed item is, at the latest. */
  async #checkDue(owner: Owner): Promise<void> {
    const due = await this.#fixture.inbox.dueInboxes(EVERYTHING);
    const noted = due.find(({ tenant, userId }) => tenant === owner.tenant && userId === owner.userId)?.dueAt ?? null;
    expect(noted).toEqual(this.#model.dueAt(owner));
  }

  async #sweep(operation: Step<"markAllRead" | "markAllSeen" | "removeRead">): Promise<void> {
    if (operation.do === "removeRead" && operation.isMarked) {
      await this.#sweep({ ...operation, do: "markAllRead" });
    }
    const owner = this.#owner(operation);
    const time = at(operation.second);
    const { inbox } = this.#fixture;
    const isRemoval = operation.do === "removeRead";
    const sweep = isRemoval ? await removeRead(inbox, owner, time) : { revs: 1, ...(await inbox[operation.do](owner, time)) };
    const count = this.#model[operation.do](owner, time);
    this.#model.noteSteps(owner, sweep.revs);
    expect(sweep.count).toBe(count);
    expect(sweep.counts).toMatchObject(this.#model.counts(owner));
  }

  async #fanOut({ draft, chunkSize }: Step<"fanOut">): Promise<void> {
    // A part that is left when its notification expires is never written.
    const entry = this.#entry({ ...draft, end: null });
    await this.#fixture.inbox.createFanOut(entry, chunkSize);
    this.#model.createFanOut(entry, chunkSize);
  }

  async #fanOutNext({ second }: Step<"fanOutNext">): Promise<void> {
    const chunk = await this.#fixture.inbox.fanOutNext(at(second), { after: this.#served });
    const written = this.#model.fanOutNext(at(second), this.#served);
    expect(chunk && { tenant: chunk.notification.tenant, seqs: seqsOf(chunk.items) }).toEqual(written);
    this.#served = written?.tenant ?? this.#served;
  }

  async #findOne(operation: Step<"find">): Promise<void> {
    const owner = this.#owner(operation);
    const ref = this.#ref(operation.pick);
    const item = await this.#fixture.inbox.get(owner, ref);
    const expected = this.#model.get(owner, ref);
    expect(item).toEqual(expected);
    expect(await this.#fixture.inbox.get(owner, ref, { places: ["active", "archived", "snoozed"] })).toEqual(this.#model.there(owner, ref));
    if (expected === null) {
      expect(await this.#fixture.inbox.absence(owner, ref)).toBe(this.#model.absence(owner, ref));
    }
  }

  async #pageThrough(operation: Step<"pageThrough">): Promise<void> {
    const owner = this.#owner(operation);
    const { before: _, offset: __, ...filter } = this.#query(owner, operation.look);
    const paged: InboxItem[] = [];
    for (;;) {
      const before = paged.at(-1)?.seq;
      const items = await this.#checkPage(owner, { ...filter, ...(before === undefined ? {} : { before }) });
      await this.#checkPage(owner, { ...filter, offset: paged.length });
      paged.push(...items);
      if (items.length < filter.limit) {
        break;
      }
    }
    const { limit: _limit, ...whole } = filter;
    expectItems(paged, this.#model.list(owner, whole));
  }

  async #follow(operation: Step<"follow">): Promise<void> {
    const owner = this.#owner(operation);
    const expected = this.#model.counts(owner);
    const seq = Math.round((expected.lastSeq * operation.start) / 100);
    const { items, counts } = await this.#fixture.inbox.listAfter(owner, seq, { limit: operation.limit, bytes: 1_000_000 });
    expectItems(items, this.#model.listAfter(owner, seq, operation.limit));
    expect(counts).toMatchObject(expected);
    const [position] = await this.#fixture.inbox.positions([owner]);
    expect(position).toEqual({ seq: expected.lastSeq, epoch: this.#epoch(owner, counts.epoch), rev: expected.rev });
  }

  async #renewEpochs(): Promise<void> {
    const earlier = [...this.#epochs.values()].filter((epoch) => epoch !== EMPTY_EPOCH);
    await this.#fixture.inbox.renewEpochs();
    this.#epochs.clear();
    const positions = await this.#fixture.inbox.positions(this.#owners());
    for (const { epoch } of positions) {
      expect(earlier).not.toContain(epoch);
    }
  }

  /** The epoch the inbox is known to have; the first one seen is taken as given. */
  #epoch(owner: Owner, seen: string): string {
    if (this.#model.counts(owner).lastSeq === 0) {
      return EMPTY_EPOCH;
    }
    const key = JSON.stringify([owner.tenant, owner.userId]);
    const known = this.#epochs.get(key) ?? seen;
    this.#epochs.set(key, known);
    return known;
  }

  #owners(): readonly Owner[] {
    return this.#tenants.flatMap((tenant) => MODEL_USERS.map((userId) => ({ tenant, userId })));
  }

  #owner({ tenant, user }: { readonly tenant: number; readonly user: number }): Owner {
    return { tenant: this.#tenants[tenant] ?? "", userId: MODEL_USERS[user] ?? "" };
  }

  #entry({ tenant, users, type, category, priority, ...draft }: Draft): NewNotification {
    const to = users.map((index) => MODEL_USERS[index] ?? "");
    const nameOf = (name: string, number: number | null) => (number === null ? null : `${name} ${number}`);
    const named = {
      type: MODEL_TYPES[type] ?? "",
      category: MODEL_CATEGORIES[category] ?? null,
      priority: MODEL_PRIORITIES[priority] ?? ("normal" as const),
      ...{ group: nameOf("group", draft.group), replaceKey: nameOf("key", draft.replace), actor: nameOf("actor", draft.actor) },
      expiresAt: draft.end === null ? null : at(draft.end),
    };
    return this.#fixture.entry(to, { tenant: this.#tenants[tenant] ?? "", ...named });
  }

  #ref({ item, by }: Pick): ItemRef {
    const row = choose(this.#model.rows, item);
    if (!row || by === "nobody") {
      return NOBODYS_ID;
    }
    return by === "id" ? row.notification.id : { seq: row.seq };
  }

  #query(owner: Owner, look: Look): InboxQuery {
    const start = Math.round((this.#model.counts(owner).lastSeq * look.start) / 100);
    const type = look.type === null ? undefined : MODEL_TYPES[look.type];
    return {
      status: look.status,
      place: look.place,
      limit: look.limit,
      ...(type === undefined ? {} : { type }),
      ...(look.filter === null ? {} : { filter: look.filter }),
      ...(look.from === "before" ? { before: start + 1 } : {}),
      ...(look.from === "offset" ? { offset: start } : {}),
    };
  }
}

/** Compares by a line for each item first: a deep comparison of every inbox after every step would take minutes. */
function expectItems(actual: readonly InboxItem[], expected: readonly InboxItem[]): void {
  const lines = actual.map(line);
  const expectedLines = expected.map(line);
  if (lines.join("\n") !== expectedLines.join("\n")) {
    expect(lines).toEqual(expectedLines);
  }
}

function line({ seq, tenant, userId, id, type, title, createdAt, readAt, ...marks }: InboxItem): string {
  const { isSeen, pinnedAt, archivedAt, snoozedUntil } = marks;
  const times = [createdAt, readAt, pinnedAt, archivedAt, snoozedUntil].map((time) => time?.getTime() ?? null);
  return JSON.stringify([seq, tenant, userId, id, type, title, isSeen, ...times]);
}
