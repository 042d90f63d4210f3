import { type Clock, type NotificationService, systemClock } from "@belfry/core";

/** How long ago the story's present moment is; the story ends now. */
let agoMs = 0;

/** The clock of a story. */
export const storyClock: Clock = { ...systemClock, now: () => Date.now() - agoMs };

/** Plays two days of a team's work. */
export async function play(service: NotificationService, user: string): Promise<void> {
  const inbox = service.inbox(user);
  const at = (minutes: number) => {
    agoMs = minutes * 60_000;
  };
  const create = async (minutes: number, input: object) => {
    at(minutes);
    return (await service.create({ to: user, ...input } as Parameters<typeof service.create>[0])).notification.id;
  };
  const read: string[] = [];
  read.push(
    await create(2_900, {
      type: "invoice",
      title: "Invoice for October",
      message: "It was paid by card ending in 4242.",
      url: "/invoices/10",
    }),
  );
  read.push(
    await create(1_700, {
      type: "mention",
      actor: "Noor",
      title: "Noor mentioned you in Roadmap",
      message: "“@ann can you take the second milestone?”",
      url: "/docs/roadmap",
    }),
  );
  for (const [minutes, name] of [
    [95, "Ben"],
    [80, "Chloe"],
    [60, "Ben"],
    [41, "Dmitri"],
  ] as const) {
    await create(minutes, {
      type: "comment",
      actor: name,
      group: "post:7",
      title: `${name} commented on Launch plan`,
      message: "I would move the announcement to Thursday, after the migration.",
      url: "/posts/7",
    });
  }
  const pinned = await create(300, {
    type: "build",
    title: "Maintenance on Sunday",
    message: "Sign-in is read-only between 02:00 and 02:30 UTC.",
    url: "/status",
  });
  read.push(pinned);
  read.push(await create(35, { type: "build", title: "Build 1284 passed", message: "main · 4 min 12 s", url: "/builds/1284" }));
  await create(18, {
    type: "comment",
    actor: "Ümit",
    title: "Ümit asked to join Design",
    message: "“I would like to help with the icons.”",
    actions: [
      { label: "Approve", url: "/teams/design/approve" },
      { label: "Decline", url: "/teams/design/decline" },
    ],
  });
  await create(6, {
    type: "build",
    priority: "urgent",
    title: "Payments are failing",
    message: "Error rate above 5 % for the last ten minutes.",
    url: "/incidents/31",
  });
  await create(1, {
    type: "mention",
    actor: "Grace",
    title: "Grace shared a file with you",
    message: "Quarterly numbers.xlsx",
    url: "/files/9",
  });
  at(0);
  for (const id of read) {
    await inbox.markRead(id);
  }
  await inbox.pin(pinned);
}
