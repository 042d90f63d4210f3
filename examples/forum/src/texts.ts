const en = {
  posted: (author: string, title: string) => `${author} posted: ${title}`,
  replied: (author: string, title: string) => `${author} replied to “${title}”`,
  mentioned: (author: string, title: string) => `${author} mentioned you in “${title}”`,
  read: "Read it",
  unsubscribe: "Get no more mails like this",
};

const de: typeof en = {
  posted: (author, title) => `${author} hat geschrieben: ${title}`,
  replied: (author, title) => `${author} hat auf „${title}“ geantwortet`,
  mentioned: (author, title) => `${author} hat dich in „${title}“ erwähnt`,
  read: "Lesen",
  unsubscribe: "Keine solchen Mails mehr",
};

/** The texts in the language of a reader: German for "de" and "de-AT", English for all others. */
export function textsOf(locale: string): typeof en {
  return new Intl.Locale(locale).language === "de" ? de : en;
}
