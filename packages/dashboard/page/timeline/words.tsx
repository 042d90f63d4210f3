import { Fragment } from "preact";

/** A sentence with names and figures in it. */
export interface Sentence {
  readonly words: readonly string[];
  readonly names: readonly (string | number)[];
}

/** Makes a sentence. It keeps the inserted values apart: a name that runs from right to left must not turn the rest around. */
export function sentence(words: TemplateStringsArray, ...names: readonly (string | number)[]): Sentence {
  return { words, names };
}

/** Shows a sentence. */
export function Words({ of: { words, names } }: { readonly of: Sentence }) {
  return (
    <>
      {words.map((text, index) => (
        <Fragment key={index}>
          {text}
          {index < names.length ? <bdi>{names[index]}</bdi> : null}
        </Fragment>
      ))}
    </>
  );
}
