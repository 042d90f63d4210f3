import sanitizeHtml from "sanitize-html";

const TEXT_TAGS =
  "a abbr address b bdi bdo blockquote br caption center cite code col colgroup dd del dfn div dl dt em font h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strike strong sub sup table tbody td tfoot th thead time tr tt u ul var wbr";
const ALIGN = ["align", "valign", "width", "height", "bgcolor"];

/** An absolute link: a link without a scheme leads to a different place in each mail program. */
const ABSOLUTE = /^(?:https?:\/\/[^/\\]|mailto:)/i;

/** Elements that are removed with their contents, which are no text for a reader. */
const DROPPED_WITH_CONTENT = [
  "script",
  "style",
  "textarea",
  "option",
  "noscript",
  "svg",
  "math",
  "title",
  "xmp",
  "iframe",
  "noembed",
  "noframes",
  "template",
  "object",
];

const OPTIONS: sanitizeHtml.IOptions = {
  allowedTags: TEXT_TAGS.split(" "),
  allowedAttributes: {
    "*": ["title", "lang", "dir"],
    a: ["href", "name", "target", "rel"],
    img: ["src", "alt", "width", "height"],
    font: ["color", "face", "size"],
    ol: ["start", "type"],
    table: [...ALIGN, "border", "cellpadding", "cellspacing"],
    td: [...ALIGN, "colspan", "rowspan"],
    th: [...ALIGN, "colspan", "rowspan"],
    tr: ALIGN,
    p: ["align"],
    div: ["align"],
  },
  allowedSchemes: ["http", "https", "mailto"],
  allowProtocolRelative: false,
  nonTextTags: DROPPED_WITH_CONTENT,
  parseStyleAttributes: false,
  // No layout nests deeper than this; the limit keeps hostile nesting cheap.
  nestingLimit: 100,
  transformTags: {
    a: (tagName, attribs) => ({ tagName, attribs: withAbsolute(attribs, "href") }),
    img: (tagName, attribs) => ({ tagName, attribs: withAbsolute(attribs, "src") }),
  },
};

/**
 * Keeps the text, links, images and tables of a sender's HTML, and removes everything that runs, styles or loads anything
 * else. A second pass changes nothing more.
 */
export function sanitizeMailHtml(html: string): string {
  return sanitizeHtml(html, OPTIONS);
}

function withAbsolute(attribs: sanitizeHtml.Attributes, name: "href" | "src"): sanitizeHtml.Attributes {
  const { [name]: value, ...rest } = attribs;
  return value !== undefined && ABSOLUTE.test(value) ? { ...rest, [name]: value } : rest;
}
