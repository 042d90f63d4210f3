import { transform } from "lightningcss";
import { expect, test } from "vitest";
import { bundledStyles } from "../scripts/bundled-styles.ts";

const version = (major: number, minor = 0) => (major * 256 + minor) * 256;
/** Browsers without `light-dark()`, for which Next compiles styles. */
const targets = { chrome: version(111), firefox: version(111), safari: version(16, 4) };

const SUPPORTS = /@supports[^{]*\{(?:[^{}]*\{[^{}]*\})*\}/g;

test.each([
  ["as they are", (styles: string) => styles],
  ["lowered", (styles: string) => transform({ filename: "styles.css", code: Buffer.from(styles), targets, minify: true }).code.toString()],
])("browsers without light-dark() have each colour of styles %s, and those of the host", async (_, made) => {
  const styles = made(await bundledStyles());
  const rules = styles.replaceAll(SUPPORTS, "");
  expect([styles.includes("light-dark("), rules.includes("light-dark(")]).toEqual([true, false]);
  const used = new Set([...styles.matchAll(/var\((--b-[a-z-]+)\)/g)].map(([, name = ""]) => name));
  expect([...used]).toEqual(expect.arrayContaining(["--b-surface", "--b-text", "--b-hue"]));
  expect([...used].filter((name) => !rules.includes(`${name}:`))).toEqual([]);
  const ofHosts = new Set([...styles.matchAll(/var\(--belfry-[a-z-]+/g)].map(([use]) => use));
  expect([...ofHosts].filter((use) => !rules.includes(`${use},`))).toEqual([]);
  const avatars = [...rules.matchAll(/\.belfry-avatar\{([^}]*)\}/g)].map(([, text = ""]) => text).join(";");
  expect(avatars).toMatch(/background:hsl\(.*color:hsl\(/);
});
