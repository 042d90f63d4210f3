/** What the file of the client's second part has. */
type LiveModule = typeof import("./live.ts");

/** The address in the message of a browser that could not load a script. */
const ADDRESS = /https?:\/\/\S+/;

/**
 * Loads the second part of the client.
 *
 * Some browsers remember that they could not load a script, and do not ask for it again, until the page is loaded anew. Then it is asked for by
 * another address. Bundlers that load scripts themselves do ask again.
 *
 * @param failures how often it failed before
 */
export async function loadLive(failures: number): Promise<LiveModule> {
  try {
    return await import("./live.ts");
  } catch (thrown) {
    const [found] = ADDRESS.exec(String(thrown)) ?? [];
    if (failures === 0 || found === undefined) {
      throw thrown;
    }
    const address = new URL(found);
    address.searchParams.set("again", String(failures));
    const loaded: LiveModule = await import(/* webpackIgnore: true */ /* @vite-ignore */ address.href);
    if ("Live" in loaded) {
      return loaded;
    }
    throw thrown;
  }
}
