import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Notification, systemClock, uuidV7 } from "@belfry/core";
import type { NewNotification } from "@belfry/core/storage";
import { afterEach } from "vitest";
import { bundledProgram } from "../../../test/bundled-program.ts";

const ids = uuidV7(systemClock);

/** A notification that was not written yet. */
export function entry(to: string | readonly string[], fields: Partial<Notification> = {}): NewNotification {
  const notification: Notification = {
    id: ids.next(),
    tenant: "acme",
    kind: "message",
    type: "note",
    title: "A title",
    message: "A message",
    data: {},
    source: null,
    actor: null,
    url: null,
    actions: null,
    priority: "high",
    rendered: null,
    category: null,
    group: null,
    replaceKey: null,
    createdAt: new Date(),
    expiresAt: null,
    ...fields,
  };
  return { notification, recipients: typeof to === "string" ? [to] : to };
}

type Cleanup = () => unknown;

/** Runs what a test hands in after that test, the last first. */
export function useCleanup(): (cleanup: Cleanup) => void {
  const cleanups: Cleanup[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) {
      await cleanup();
    }
  });
  return (cleanup) => void cleanups.push(cleanup);
}

/** A path in a new directory, which is removed with everything in it after the test. */
export function temporaryPath(cleanup: (cleanup: Cleanup) => void, name = "belfry.db"): string {
  const directory = mkdtempSync(join(tmpdir(), "belfry-sqlite-"));
  cleanup(() => rmSync(directory, { recursive: true }));
  return join(directory, name);
}

/** A process of the script `name` in `processes/`, from the sources. */
export function startProcess(name: string, args: readonly string[]): ChildProcess {
  const program = bundledProgram(new URL(`processes/${name}.ts`, import.meta.url));
  return spawn(process.execPath, [program, ...args], { stdio: ["pipe", "pipe", "inherit"] });
}

/** The lines a process prints. */
export function linesOf({ stdout }: ChildProcess): AsyncIterable<string> {
  if (stdout === null) {
    throw new Error("The process was started without a pipe for its output.");
  }
  return createInterface({ input: stdout });
}

/** Resolves with the exit code of a process, or the signal that ended it. */
export function ended(child: ChildProcess): Promise<number | string | null> {
  return new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal)));
}
