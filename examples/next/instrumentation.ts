/** Next calls it once, when the server starts: deliveries and digests need a service that works in the background. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME === "nodejs") {
    const { belfry } = await import("./server/belfry.ts");
    const { notifications } = await import("./server/notifications.ts");
    await notifications.start();
    // Next ends once all connections have, and clients come again over those that they keep: whatever is open after 5 seconds ends with the process.
    process.once("SIGTERM", () => {
      belfry.close();
      setTimeout(() => process.exit(), 5_000).unref();
    });
  }
}
