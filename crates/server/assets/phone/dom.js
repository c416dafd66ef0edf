// Builds elements. Text only ever enters the page as a text node, so no name or reply can become markup.

/** Makes an element; a function among the attributes listens to the event of that name. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined && value !== null) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/** What stands in a person's circle: the first character as a reader sees it. */
export function initial(name) {
  // Marks that only steer the reading direction are no character that a reader sees.
  const trimmed = name.replace(/^[\p{C}\p{Z}]+/u, "");
  if (globalThis.Intl?.Segmenter) {
    const [first] = new Intl.Segmenter().segment(trimmed);
    return (first?.segment ?? "?").toLocaleUpperCase();
  }
  return (Array.from(trimmed)[0] ?? "?").toLocaleUpperCase();
}

/** One of the five tones of a circle, always the same for a name. */
export function tone(name) {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + character.codePointAt(0)) % 9973;
  return `tone-${sum % 5}`;
}

/** Puts text on the clipboard, also where the page is not on localhost and the modern way is closed. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const carrier = element("textarea", { class: "off-screen", readonly: true });
    carrier.value = text;
    const focused = document.activeElement;
    document.body.append(carrier);
    carrier.select();
    const done = document.execCommand("copy");
    carrier.remove();
    focused?.focus();
    return done;
  }
}
