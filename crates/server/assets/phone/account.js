// The account as its owner sees it: picture, signing out, all that is stored, and leaving.

import { byId, element } from "./dom.js";
import { learnPeople } from "./people.js";
import { paint, pictureOf } from "./screen.js";
import { drop, person, renew, session } from "./session.js";
import { alone, askAs, finish, lookAgain, onSubmit, onTap, tryOld } from "./taps.js";
import { go, onOpen } from "./views.js";
import { say } from "./words.js";

let saved = "";

/** Lets the screens work. */
export function startAccount() {
  byId("picture").addEventListener("change", () => alone(sendPicture));
  onTap(byId("logout"), logout);
  onTap(byId("logout-all"), logoutAll);
  onTap(byId("export"), exportAll);
  onOpen("export", forgetExport);
  onOpen("delete", () => sure(false));
  byId("delete-sure").addEventListener("change", () => sure(byId("delete-sure").checked));
  onSubmit(byId("delete"), leave);
}

/** Shows the account of whoever holds the phone. */
export function showAccount() {
  const profile = session()?.profile ?? {};
  const name = profile.nickname || person();
  paint(byId("picture-circle"), name, pictureOf(profile.avatar));
  byId("owner-name").textContent = name;
  byId("owner-uid").textContent = say("account.uid", { uid: profile.uid });
  byId("row-profile").textContent = [profile.nickname, profile.campus].filter(Boolean).join(" · ");
  byId("row-phone").textContent = profile.phone ?? "";
  byId("row-email").textContent = profile.email || say("account.none");
  byId("delete-words").textContent = say("delete.sure", { who: name });
}

async function sendPicture() {
  const [file] = byId("picture").files;
  if (!file) return;
  const said = await askAs("POST", "/v1/user/avatar", { form: { file } });
  const steps = [{ title: "step.avatar", said }];
  if (said.ok) steps.push(await lookAgain());
  finish({ title: "run.picture", person: person(), steps }, said, { failsAt: "account-fail", good: "toast.picture" });
  // The same file may be picked once more.
  byId("picture").value = "";
}

async function logout() {
  const holder = person();
  const before = session().access;
  const said = await askAs("POST", "/v1/user/logout");
  const steps = [{ title: "step.logout", said }];
  const facts = [];
  if (said.ok) await shutOut(holder, before, steps, facts);
  finish({ title: "run.logout", person: holder, steps, facts }, said, { failsAt: "account-fail", good: "toast.out" });
  if (said.ok) go("home", "sign-in");
}

async function logoutAll() {
  const before = session().access;
  const said = await askAs("POST", "/v1/user/logout_all");
  const steps = [{ title: "step.logout-all", said }];
  const facts = [];
  if (said.ok) {
    renew(session(), said.reply.access_token);
    const old = await tryOld(before);
    steps.push(old.step);
    facts.push(old.fact);
  }
  finish({ title: "run.logout-all", person: person(), steps, facts }, said, { failsAt: "account-fail", good: "toast.out-all" });
}

async function exportAll() {
  const said = await askAs("GET", "/v1/user/export");
  finish({ title: "run.export", person: person(), steps: [{ title: "step.export", said }] }, said, { failsAt: "export-fail", good: "toast.export" });
  if (said.ok) showExport(said.reply);
}

function showExport(all) {
  forgetExport();
  saved = URL.createObjectURL(new Blob([`${JSON.stringify(all, null, 2)}\n`], { type: "application/json" }));
  const rows = Object.entries(all).filter(([name]) => name !== "success").flatMap(([name, value]) => rowsOf(name, value));
  byId("export-holds").replaceChildren(...rows);
  byId("export-holds").hidden = false;
  const link = byId("export-save");
  link.href = saved;
  link.download = `menjin-${session()?.profile.uid ?? "export"}.json`;
  link.hidden = false;
}

/** One row for a value, a count for a list, and the insides of an object that wraps all. */
function rowsOf(name, value) {
  if (name === "data" && value !== null && typeof value === "object" && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([inner, held]) => rowsOf(inner, held));
  }
  return [element("div", { class: "row" }, element("code", {}, name), element("span", { class: "row-value", dir: "auto" }, shortly(value)))];
}

function shortly(value) {
  if (Array.isArray(value)) return `× ${value.length}`;
  if (value !== null && typeof value === "object") return `× ${Object.keys(value).length}`;
  return value === "" || value === null ? "—" : String(value);
}

function forgetExport() {
  if (saved) URL.revokeObjectURL(saved);
  saved = "";
  byId("export-holds").hidden = true;
  byId("export-save").hidden = true;
  byId("export-save").removeAttribute("href");
}

function sure(yes) {
  byId("delete-sure").checked = yes;
  byId("delete-now").disabled = !yes;
}

async function leave() {
  const holder = person();
  const { access, openid } = session();
  const said = await askAs("POST", "/v1/user/delete", { body: { openid } });
  const steps = [{ title: "step.delete", said }];
  const facts = [];
  if (said.ok) await shutOut(holder, access, steps, facts);
  finish({ title: "run.delete", person: holder, steps, facts }, said, { failsAt: "delete-fail", good: "toast.deleted" });
  if (said.ok) go("home", "sign-in");
}

/** Ends the session here, and shows that the token is of no use to anyone else either. */
async function shutOut(holder, access, steps, facts) {
  const old = await tryOld(access);
  steps.push(old.step);
  facts.push(old.fact);
  drop(holder);
  await learnPeople();
}
