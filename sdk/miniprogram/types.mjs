// Writes the types of what travels: node types.mjs OPENAPI.json FILE.ts. Only what a mini program sends and gets.

import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const HEAD = "// Generated from docs/openapi.json by script/generate.\n\n";
const [source, file] = process.argv.slice(2);
const { openapi, info, paths, components } = JSON.parse(readFileSync(source, "utf8"));

/** The names of the schemas that something refers to, and those that these refer to. */
function named(something, found = new Set()) {
  for (const [, name] of JSON.stringify(something).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    if (found.has(name)) continue;
    found.add(name);
    named(components.schemas[name], found);
  }
  return found;
}

const OTHERS = ["/v1/user/email/confirm", "/v1/user/export"]; // a page, and a file for a person to keep
const ours = Object.entries(paths).filter(([path]) => path.startsWith("/v1/user/") && !OTHERS.includes(path));
const names = [...named(ours)].sort();
const schemas = Object.fromEntries(names.map((name) => [name, components.schemas[name]]));
const nodes = await openapiTS({ openapi, info, paths: {}, components: { schemas } }, { emptyObjectsUnknown: true });
writeFileSync(file, HEAD + astToString(nodes.filter((node) => node.name?.text === "components")));
