import { type Browser, chromium } from "playwright-core";

/** Where the browser is; Debian's package has it there. */
const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Starts a real browser. @throws Error that says how to install one */
export async function startBrowser(): Promise<Browser> {
  const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
  return chromium.launch({ executablePath: EXECUTABLE, args }).catch((error: unknown) => {
    throw new Error(`No browser at ${EXECUTABLE}: install one (apt-get install chromium), or name another in CHROMIUM.`, { cause: error });
  });
}
