import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";

/** Where Debian's packages put the browser. The headless shell is the same engine without windows, for a third of the CPU time. */
const INSTALLED = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"];

/** The path of the browser. */
const EXECUTABLE = process.env.CHROMIUM ?? INSTALLED.find((path) => existsSync(path)) ?? "/usr/bin/chromium-headless-shell";

/** Starts a real browser. @throws Error if there is none; it says how to install one */
export async function startBrowser(): Promise<Browser> {
  const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
  return chromium.launch({ executablePath: EXECUTABLE, args }).catch((error: unknown) => {
    const remedy = "install one (apt-get install chromium-headless-shell), or name another in CHROMIUM.";
    throw new Error(`No browser at ${EXECUTABLE}: ${remedy}`, { cause: error });
  });
}

/** Collects the browser's complaints, violations of the policy among them. */
export function watchPage(page: Page): string[] {
  const problems: string[] = [];
  page.on("pageerror", (error) => void problems.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") {
      problems.push(`${message.type()}: ${message.text()}`);
    }
  });
  return problems;
}
