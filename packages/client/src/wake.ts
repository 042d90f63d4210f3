/** Calls `listener` when the network comes or goes, the page is looked at again, or goes on after it was frozen. Returns the function that ends it. */
export function onWake(listener: () => void): () => void {
  if (typeof document === "undefined") {
    return () => undefined;
  }
  const onVisible = () => {
    if (document.visibilityState === "visible") {
      listener();
    }
  };
  window.addEventListener("online", listener);
  window.addEventListener("offline", listener);
  document.addEventListener("visibilitychange", onVisible);
  document.addEventListener("resume", onVisible);
  return () => {
    window.removeEventListener("online", listener);
    window.removeEventListener("offline", listener);
    document.removeEventListener("visibilitychange", onVisible);
    document.removeEventListener("resume", onVisible);
  };
}
