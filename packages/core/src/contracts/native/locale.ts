import { text } from "../../http/parameters.ts";

/** The language in which a caller is shown items. */
export const locale = text({
  minLength: 1,
  maxLength: 100,
  description: "The language of texts that functions of types make (BCP 47)",
}).optional();
