// Who can hold the phone: the people whom the simulator knows, and whoever is invented here.

import { byId } from "./dom.js";
import { hand, person } from "./session.js";
import { ask } from "./server.js";

const MOST_PEOPLE = 40;

let people = [];
const numbers = new Map();

/** The names, in the order in which they are shown. */
export const everybody = () => people;

/** The phone number that the simulator gave this person, as it spells it; empty while it is not known. */
export const numberOf = (name) => numbers.get(name) ?? "";

/** Asks the simulator whom it knows. */
export async function learnPeople() {
  const { reply } = await ask("GET", "/simulator/people");
  if (!Array.isArray(reply?.people)) return;
  const known = reply.people.filter((entry) => typeof entry.person === "string");
  for (const entry of known) if (typeof entry.phone === "string") numbers.set(entry.person, entry.phone);
  // Whoever is shown keeps the place, or the circles would move about under the finger.
  people = [...new Set([...people, ...known.map((entry) => entry.person)])].slice(0, MOST_PEOPLE);
  if (person() === "") hand(people[0] ?? "");
}

/** Takes the name out of the form and gives it back, or null if there is none. */
export function invent(event) {
  event.preventDefault();
  const field = byId("invent-name");
  const name = field.value.trim();
  if (name === "") return null;
  if (!people.includes(name)) people = [name, ...people].slice(0, MOST_PEOPLE);
  field.value = "";
  return name;
}
