/**
 * What servers of open models may read as a new turn, wherever in a message it stands, and what could pass for the
 * fence of `messages.ts`. Only the opening character is matched: written as HTML's entity for it, it opens nothing.
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

/** The text, with whatever could end the data or begin another speaker's turn made plain text. Twice is as once. */
export function neutralise(text: string): string {
  return text.replace(CONTROL, (opening) => (opening === "<" ? "&lt;" : "&#91;"));
}
