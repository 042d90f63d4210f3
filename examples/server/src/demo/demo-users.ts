/** The topic that both users of the demo follow at first. */
export const DEMO_TOPIC = "post:lunch";

/** A user of the demo: the page shows their inbox. */
export interface DemoUser {
  readonly id: string;
  readonly name: string;
  readonly email: string;
}

/** The users of the demo. The calls of curl that the host prints reach the first. */
export const DEMO_USERS: readonly DemoUser[] = [
  { id: "user_123", name: "Ann", email: "ann@example.com" },
  { id: "user_456", name: "Bob", email: "bob@example.com" },
];
