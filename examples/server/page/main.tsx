import "./main.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";

const root = document.getElementById("app");
if (root === null) {
  throw new Error("The document has no element #app to show the demo in.");
}
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
