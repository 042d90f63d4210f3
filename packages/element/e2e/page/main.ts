import "../../src/index.ts";

const query = new URLSearchParams(location.search);
const user = query.get("user") ?? "ann";
const noted: string[] = [];
Object.assign(window, { noted });

const nav = document.createElement("nav");
const element = document.createElement("belfry-inbox");
element.setAttribute("user", user);
element.setAttribute("locale", query.get("locale") ?? "de");
element.setAttribute("layout", query.get("layout") ?? "popover");
element.getToken = async () => (await fetch(`/token?user=${user}`)).text();
element.addEventListener("received", (event) => noted.push(`received ${(event as CustomEvent<{ title: string }>).detail.title}`));
element.addEventListener("navigate", (event) => {
  event.preventDefault();
  noted.push(`navigate ${(event as CustomEvent<{ url: string }>).detail.url}`);
});
nav.append("Acme", element);
document.getElementById("root")?.append(nav);
