/** Styles, as the text that they are. */
declare module "@belfry/react/styles.css" {
  const text: string;

  export { text as default };
}
