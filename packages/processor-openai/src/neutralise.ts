/**
 * Matches tokens that servers of open models may read as a new turn anywhere in a message, and texts that look like the
 * fence of `messages.ts`. It matches only the opening character: as an HTML entity, that opens nothing.
 */
const CONTROL = new RegExp(
  [
    // ChatML, Llama 3, Phi, DeepSeek: <|im_start|>, <｜User｜>
    "<(?=[|｜][^|｜<>]{1,60}[|｜]>)",
    // Mistral and Llama 2: [INST], <<SYS>>
    String.raw`\[(?=\/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])`,
    String.raw`<(?=\/?SYS>)`,
    // Gemma, and the ends of sequences
    String.raw`<(?=(?:start_of_turn|end_of_turn|bos|eos|\/?s)>)`,
    String.raw`<(?=\s{0,9}\/?\s{0,9}notification-)`,
  ].join("|"),
  "gi",
);

/** Turns everything in a text that could end the data or begin another turn into plain text. A second pass changes nothing. */
export function neutralise(text: string): string {
  return text.replace(CONTROL, (opening) => (opening === "<" ? "&lt;" : "&#91;"));
}
