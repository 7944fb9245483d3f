import DOMPurify from "dompurify";
import { Marked } from "marked";
import { useMemo } from "preact/hooks";

const escape = (text: string) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

// Two walls. The renderer writes HTML in a text as text, and pictures as their description; the sanitiser then lets through only
// what the renderer itself makes.
const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    html: ({ text }) => escape(text),
    image: ({ text, href }) => escape(`[picture: ${text || href}]`),
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
  },
});

const allowed = {
  ALLOWED_TAGS: ["p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "em", "strong", "del", "code", "pre", "blockquote", "ul", "ol",
    "li", "a", "table", "thead", "tbody", "tr", "th", "td"],
  ALLOWED_ATTR: ["href", "start", "align"],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName !== "A") return;
  node.setAttribute("rel", "noopener noreferrer nofollow");
  node.setAttribute("target", "_blank");
});

/// Text that somebody wrote, as HTML that does nothing.
export function safeHtml(text: string): string {
  return DOMPurify.sanitize(marked.parse(text, { async: false }), allowed);
}

export function Markdown({ text, class: extra }: { text: string; class?: string }) {
  const html = useMemo(() => safeHtml(text), [text]);
  return <div class={`markdown ${extra ?? ""}`} dir="auto" dangerouslySetInnerHTML={{ __html: html }} />;
}
