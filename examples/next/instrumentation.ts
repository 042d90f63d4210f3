/** Next calls it once, when the server starts: deliveries and digests need a service that works in the background. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME === "nodejs") {
    const { belfry } = await import("./server/belfry.ts");
    const { notifications } = await import("./server/notifications.ts");
    await notifications.start();
    // Next ends once all requests have: an open stream is one that lasts.
    process.once("SIGTERM", () => belfry.close());
  }
}
