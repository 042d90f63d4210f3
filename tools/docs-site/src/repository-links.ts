import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import type { MarkdownRenderer } from "vitepress";

/** Where readers find the files that are no pages of the site. */
export const REPOSITORY = "https://github.com/belfry/belfry/blob/main/";

/** A contract's OpenAPI document, which the site shows as a page. */
const OPENAPI = /^openapi\/([\w-]+)\.json$/;

const ABSOLUTE = /^([a-z][a-z+.-]*:|\/|#)/i;

/**
 * Lets links of a page to other files of the repository, such as an example's source, lead to the repository: only the documents
 * are pages of the site. Links to an OpenAPI document lead to the page that is made from it, and links to a file that is nowhere are left alone, so that the build reports them.
 */
export function repositoryLinks(markdown: MarkdownRenderer, docs: string): void {
  markdown.core.ruler.push("repository-links", ({ tokens, env }) => {
    const { relativePath = "" } = env as { readonly relativePath?: string };
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.type === "link_open" ? token.attrGet("href") : null;
      if (href !== null && !ABSOLUTE.test(href)) {
        token.attrSet("href", published(href, { docs, page: relativePath }));
      }
    }
  });
}

/** Where a relative link of a page leads on the site. */
function published(href: string, { docs, page }: { readonly docs: string; readonly page: string }): string {
  const [path = "", ...hash] = href.split("#");
  const target = posix.join(posix.dirname(page), path);
  const [, contract] = OPENAPI.exec(target) ?? [];
  if (contract !== undefined) {
    return `/reference/routes/${contract}`;
  }
  const isPage = !target.startsWith("..") && posix.extname(target) === ".md";
  if (isPage || !existsSync(join(docs, target))) {
    return href;
  }
  return [REPOSITORY + posix.join("docs", target), ...hash].join("#");
}
