export { createMenjin } from "./client.js";
export { MenjinError } from "./errors.js";
export type * from "./types.js";
