import "./styles/index.css";
import { render } from "preact";
import { App } from "./app.tsx";

const root = document.getElementById("app");
if (root === null) {
  throw new Error("The document has no element #app to show the dashboard in.");
}
root.textContent = "";
render(<App />, root);
