import "../../src/index.ts";

const query = new URLSearchParams(location.search);
const user = query.get("user") ?? "ann";
const [noted, visited]: string[][] = [[], []];
Object.assign(window, { noted, visited });

const nav = document.createElement("nav");
const element = document.createElement("belfry-inbox");
element.setAttribute("user", user);
element.setAttribute("locale", query.get("locale") ?? "de");
element.setAttribute("layout", query.get("layout") ?? "popover");
if (query.has("push")) {
  element.setAttribute("push-worker", "/belfry-worker.js");
}
element.getToken = async () => (await fetch(`/token?user=${user}`)).text();
element.addEventListener("received", (event) => noted?.push(`received ${(event as CustomEvent<{ title: string }>).detail.title}`));
element.addEventListener("navigate", (event) => {
  event.preventDefault();
  const { url } = (event as CustomEvent<{ url: string }>).detail;
  noted?.push(`navigate ${url}`);
  visited?.push(url);
});
nav.append("Acme", element);
document.getElementById("root")?.append(nav);
// Who asks for a view first says how many items a page has. The contents of the inbox are loaded later.
queueMicrotask(() => element.client?.view({}, { pageSize: Number(query.get("pageSize") ?? 20) }));
