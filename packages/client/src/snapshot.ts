import type { BaseState } from "./base.ts";
import type { Filter } from "./filter.ts";
import type { Item } from "./item.ts";
import type { Store } from "./store.ts";
import { type Loaded, ViewState } from "./view.ts";

/** What a client knows, as JSON: `snapshot()` gives it, and the option `initial` takes it. */
export interface InitialState<Shown extends Item = Item> extends BaseState<Shown> {
  readonly views: readonly {
    readonly filter: Filter;
    readonly pageSize: number;
    readonly loaded: Pick<Loaded, "floor" | "cursor" | "counted">;
    readonly placed: readonly string[];
    readonly woken: readonly string[];
  }[];
}

/** What a store knows, without the effect of changes that wait. */
export function stateOf<Shown extends Item>({ base, views }: Store<Shown>): InitialState<Shown> {
  return {
    position: base.position,
    counts: base.counts,
    items: [...base.items.values()].flatMap(({ item, rev }) => (item === null ? [] : [[item, rev] as const])),
    views: [...views.values()].flatMap(({ isStale, filter, pageSize, placed, woken, loaded: { floor, cursor, counted } }) =>
      isStale ? [] : [{ filter, pageSize, loaded: { floor, cursor, counted }, placed: [...placed], woken: [...woken] }],
    ),
  };
}

/** Begins with what another store knew. */
export function restore<Shown extends Item>({ base, views }: Store<Shown>, state: InitialState<Shown>): void {
  base.restore(state);
  for (const { filter, pageSize, loaded, placed, woken } of state.views) {
    const view = new ViewState<Shown>(filter, pageSize);
    view.isStale = false;
    view.loaded = { ...view.loaded, ...loaded, status: "ready" };
    for (const [set, ids] of [
      [view.placed, placed],
      [view.woken, woken],
    ] as const) {
      for (const id of ids) {
        set.add(id);
      }
    }
    views.set(view.key, view);
  }
}
