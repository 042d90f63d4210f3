import { type Browser, chromium } from "playwright-core";

/** The path of the browser; by default that of Debian's package. */
const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Starts a real browser. @throws Error if there is none; it says how to install one */
export async function startBrowser(): Promise<Browser> {
  const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
  return chromium.launch({ executablePath: EXECUTABLE, args }).catch((error: unknown) => {
    throw new Error(`No browser at ${EXECUTABLE}: install one (apt-get install chromium), or name another in CHROMIUM.`, { cause: error });
  });
}
