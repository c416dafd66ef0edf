// What a refusal means, in words for the person at the phone rather than for the programmer beside it.

import { hasWords, say } from "./words.js";

/** What a reply gives as its reason, in few words. */
export function reasonOf(said) {
  const { error, status } = said.reply ?? {};
  if (typeof status === "string") return status;
  if (typeof error === "string") return error;
  if (error?.errcode !== undefined) return `${error.errcode} ${error.errmsg ?? ""}`.trim();
  return String(said.status);
}

/** A sentence that says what went wrong and what can be done. */
export function friendly(said) {
  if (said.gone) return say("toast.gone");
  const word = reasonOf(said);
  if (said.status === 429) return say("fail.too_many_requests", { wait: waitOf(said.retryAfter) });
  if (said.status === 401) return say("fail.token");
  if (hasWords(`fail.${word}`)) return say(`fail.${word}`);
  if (said.status === 503) return say("fail.later");
  const field = /^invalid_(.+)$/.exec(word)?.[1];
  if (field) return say("fail.invalid", { field: hasWords(`field.${field}`) ? say(`field.${field}`) : field });
  // The picture's own words stand under `data`.
  const why = typeof said.reply?.data === "string" ? said.reply.data : word;
  return say("fail.other", { why });
}

function waitOf(seconds) {
  if (!Number.isFinite(seconds)) return say("wait.while");
  if (seconds <= 90) return say("wait.seconds", { count: Math.max(1, seconds) });
  if (seconds <= 5400) return say("wait.minutes", { count: Math.ceil(seconds / 60) });
  return say("wait.hours", { count: Math.ceil(seconds / 3600) });
}
