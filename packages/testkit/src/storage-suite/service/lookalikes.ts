/**
 * Names that are all different bytewise and that some comparison or other takes for the same: by letter case, by accents
 * composed or not, by white space or invisible characters around them, as patterns, as numbers, as SQL or as members
 * every JavaScript object has. The last three sort differently as UTF-16 and as UTF-8.
 */
export const LOOKALIKES: readonly string[] = [
  ...["ann", "Ann", "ANN", "ann ", " ann", "ann\t", "ann\n", "ann\u00a0", "ann\u200b", "\ufeffann", "ann\u0001"],
  ...["änn", "a\u0308nn", "Änn", "ａnn", "ann😀", "ann👍", "ann👍🏽", "ann👍\ufe0f"],
  ...["ss", "ß", "ẞ", "i", "I", "ı", "İ", "σ", "ς", "ſ", "s"],
  ...["ann%", "a%", "%", "ann_", "an_", "_", "*", "?", "ann\\", "\\", "ann'", "'", 'ann"', "ann--", "ann;", "$1", ":ann", "?1"],
  ...["1", "01", "1.0", "1e0", "0x1", "-1", "null", "NULL", "undefined", "true", "{}", "[]"],
  ...["__proto__", "constructor", "toString", "hasOwnProperty"],
  ...["\uffff", "\ue000", "\u{10000}"],
];
