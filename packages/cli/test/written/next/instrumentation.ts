/** Next calls it once, when the server starts: deliveries and digests need a service that works in the background. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME === "nodejs") {
    const { notifications } = await import("./notifications.ts");
    await notifications.start();
  }
}
