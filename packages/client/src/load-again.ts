/** The address in the message of a browser that could not load a script. */
const ADDRESS = /https?:\/\/\S+/;

/**
 * Loads a file of the package that is loaded later.
 *
 * Some browsers remember that they could not load a script, and do not ask for it again, until the page is loaded anew. Then it is asked for by
 * another address. Bundlers that load scripts themselves do ask again.
 *
 * @param load imports the file
 * @param name something that the file exports
 * @param failures how often it failed before
 */
export async function loadAgain<Module>(load: () => Promise<Module>, name: keyof Module, failures: number): Promise<Module> {
  try {
    return await load();
  } catch (thrown) {
    const [found] = ADDRESS.exec(String(thrown)) ?? [];
    if (failures === 0 || found === undefined) {
      throw thrown;
    }
    const address = new URL(found);
    address.searchParams.set("again", String(failures));
    const loaded = await import(/* webpackIgnore: true */ /* @vite-ignore */ address.href);
    if (name in loaded) {
      return loaded;
    }
    throw thrown;
  }
}
