export { memoryTransport } from "../realtime/index.ts";
