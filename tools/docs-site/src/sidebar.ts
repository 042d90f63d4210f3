import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DefaultTheme } from "vitepress";

/** A group of the sidebar: its pages in order, by their paths below `docs`, and those of `rest` that no group names. */
interface Group {
  readonly text: string;
  readonly pages: readonly string[];
  /** The folder whose other pages come after them. */
  readonly rest?: string;
}

const GROUPS: readonly Group[] = [
  { text: "Start", pages: ["guides/getting-started", "concepts", "cli", "glossary", "comparison"] },
  {
    text: "In your application",
    pages: [
      "guides/nextjs",
      "guides/frameworks",
      "guides/authentication",
      "guides/transactions",
      "guides/types",
      "guides/rendering",
      "guides/testing",
    ],
  },
  {
    text: "Who gets what",
    pages: ["guides/decisions", "guides/preferences", "guides/digests", "guides/topics", "guides/broadcast"],
  },
  { text: "Over which channel", pages: ["guides/delivery", "guides/email", "guides/mail", "guides/push", "guides/chat", "guides/sms"] },
  {
    text: "The inbox",
    pages: ["guides/inbox", "guides/realtime", "guides/client", "guides/react", "guides/element"],
  },
  { text: "More guides", pages: ["guides/hub", "guides/contracts"], rest: "guides" },
  {
    text: "Operating",
    pages: [
      "guides/operating",
      "guides/postgresql",
      "guides/redis",
      "guides/processes",
      "guides/bullmq",
      "guides/databases",
      "guides/partitions",
      "scaling",
      "guides/dashboard",
      "guides/telemetry",
      "guides/privacy",
      "guarantees",
      "performance",
    ],
    rest: ".",
  },
  { text: "Recipes", pages: ["recipes/index"], rest: "recipes" },
  { text: "Moving to Belfry", pages: ["moving/index"], rest: "moving" },
  { text: "Contracts", pages: [], rest: "contracts" },
  { text: "Routes and schemas", pages: [], rest: "reference/routes" },
  { text: "API", pages: ["reference/api/index"], rest: "reference/api" },
];

/** No page of the sidebar: the one that the title of the site leads to. */
const HOME = "index";

/** The sidebar: every page of `docs` is in it once, under its own heading, so that a new one needs no entry. */
export function sidebar(docs: string): DefaultTheme.SidebarItem[] {
  const named = new Set([HOME, ...GROUPS.flatMap(({ pages }) => pages)]);
  return GROUPS.map(({ text, pages, rest }, index) => {
    const others = rest === undefined ? [] : pagesOf(docs, rest).filter((page) => !named.has(page));
    const items = [...pages.filter((page) => existsSync(join(docs, `${page}.md`))), ...others].map((page) => ({
      text: titleOf(docs, page),
      link: `/${page.replace(/index$/, "")}`,
    }));
    // A group leads to its first page, so that its heading is a link beside the button that unfolds it, and not a button around that one.
    const link = items[0]?.link;
    return { text, collapsed: index > 0, items, ...(link === undefined ? {} : { link }) };
  }).filter(({ items }) => items.length > 0);
}

export const navigation: DefaultTheme.NavItem[] = [
  { text: "Start", link: "/guides/getting-started" },
  { text: "Concepts", link: "/concepts" },
  { text: "Recipes", link: "/recipes/" },
  { text: "Contracts", link: "/guides/contracts" },
  { text: "API", link: "/reference/api/" },
];

/** The pages of a folder, without those of the folders in it. */
function pagesOf(docs: string, folder: string): string[] {
  return globSync("*.md", { cwd: join(docs, folder) })
    .map((file) => join(folder, file.replace(/\.md$/, "")))
    .sort();
}

/** A page's first heading, as plain text. */
function titleOf(docs: string, page: string): string {
  const [, title] = /^# (.+)$/m.exec(readFileSync(join(docs, `${page}.md`), "utf8")) ?? [];
  if (title === undefined) {
    throw new Error(`docs/${page}.md has no heading: begin it with "# " and its title.`);
  }
  return title.replaceAll("`", "").replaceAll("\\", "");
}
