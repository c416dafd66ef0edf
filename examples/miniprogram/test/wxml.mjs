// Reads WXML as far as this example uses it, and says what of a page is to be seen for its data.
// What it does not know is an error, so that nothing goes by unchecked.

import assert from "node:assert/strict";

const TAGS = new Set(["view", "block", "button", "image", "input", "form", "navigator", "text"]);
const TOKEN = /<!--[\s\S]*?-->|<\/([\w-]+)\s*>|<([\w-]+)((?:\s+[\w:-]+(?:="[^"]*")?)*)\s*(\/?)>|([^<]+)|(<)/g;
const ATTRIBUTE = /([\w:-]+)(?:="([^"]*)")?/g;

/** The tree of a WXML text. Throws if a tag is unknown or not closed in turn. */
export function parse(text, where) {
  const root = { tag: "page", attributes: {}, children: [] };
  const open = [root];
  for (const [whole, closing, opening, attributes, empty, words, stray] of text.matchAll(TOKEN)) {
    const parent = open.at(-1);
    assert.ok(!stray, `${where}: a stray < after <${parent.tag}>`);
    if (closing) {
      assert.equal(closing, parent.tag, `${where}: </${closing}> closes <${parent.tag}>`);
      open.pop();
    } else if (opening) {
      assert.ok(TAGS.has(opening), `${where}: <${opening}> is not known to this test`);
      const element = { tag: opening, attributes: read(attributes), children: [] };
      parent.children.push(element);
      if (!empty) open.push(element);
    } else if (words?.trim()) {
      parent.children.push(words.trim());
    } else {
      assert.ok(words || whole.startsWith("<!--"), `${where}: ${whole}`);
    }
  }
  assert.equal(open.length, 1, `${where}: <${open.at(-1).tag}> is not closed`);
  return root;
}

const read = (text) =>
  Object.fromEntries([...text.matchAll(ATTRIBUTE)].map(([, name, words]) => [name, words ?? true]));

/** Every element of a tree. */
export const elements = (tree) =>
  tree.children.filter((child) => child.tag).flatMap((child) => [child, ...elements(child)]);

/** What is shown for this data: elements with their attributes worked out, and texts. */
export function render(tree, data) {
  const shown = [];
  let chain = false;
  for (const child of tree.children) {
    if (typeof child === "string") {
      shown.push(String(value(child, data)));
      continue;
    }
    const { "wx:if": when, "wx:elif": or, "wx:else": otherwise, ...rest } = child.attributes;
    const unknown = Object.keys(rest).filter((name) => name.startsWith("wx:"));
    assert.deepEqual(unknown, [], "attributes that are not known to this test");
    if (when !== undefined) chain = Boolean(value(when, data));
    else if (or !== undefined || otherwise !== undefined) {
      if (chain) continue;
      chain = otherwise !== undefined || Boolean(value(or, data));
    } else chain = true;
    if (!chain) continue;
    shown.push(...one(child, rest, data));
  }
  return shown;
}

function one(child, rest, data) {
  const children = render(child, data);
  if (child.tag === "block") return children;
  const attributes = Object.fromEntries(Object.entries(rest).map(([name, text]) => [name, value(text, data)]));
  return [{ tag: child.tag, attributes, children }];
}

/** An attribute or text with its `{{..}}` worked out; one that is nothing else keeps its type. */
export function value(text, data) {
  if (text === true) return true;
  const alone = /^\{\{([^{}]*)\}\}$/.exec(text);
  if (alone) return evaluate(alone[1], data);
  return text.replace(/\{\{([^{}]*)\}\}/g, (_, expression) => evaluate(expression, data));
}

// A name that the page's data lacks would show as nothing; here it is an error.
function evaluate(expression, data) {
  const names = new Proxy(data, {
    has: (_, name) => typeof name === "string",
    get: (target, name) => {
      if (name === Symbol.unscopables) return undefined;
      assert.ok(Object.hasOwn(target, name), `{{${expression}}}: the page has no ${String(name)}`);
      return target[name];
    },
  });
  return new Function("names", `with (names) { return (${expression}) }`)(names);
}
