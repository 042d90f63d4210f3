import { randomFrom, shuffled } from "./random.ts";

/** The names of `count` users. */
export function usersOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `user_${String(index).padStart(6, "0")}`);
}

/** Picks users at random. Each side has an own one, of the same seed: so all get the same users, but not at the same time. */
export function randomUser(users: readonly string[]): () => string {
  const random = randomFrom(7);
  return () => users[Math.floor(random() * users.length)] as string;
}

/** Goes through all users in random order, over and over: no user comes twice before all others came. */
export function eachUser(users: readonly string[]): () => string {
  const order = shuffled(users, randomFrom(11));
  let turn = 0;
  return () => {
    turn += 1;
    return order[turn % order.length] as string;
  };
}
