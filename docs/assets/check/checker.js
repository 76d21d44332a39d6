// The checker: a worker of the page, which starts when it is wanted and can be ended at any time.
import { storage } from "./copies.js";
import { say } from "../words.js";

const waiting = new Map(); // what is asked and not yet answered
let worker = null;
let ready = false; // it has loaded
let loaded = null; // a promise that it has
let asked = 0;

// Seconds that a check may take, once the checker has loaded.
const limit = () => Number(document.body.dataset.checkLimit ?? 120);

export const isReady = () => ready;

export function wake() {
  if (worker) return;
  worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  let arrived;
  loaded = new Promise((resolve) => (arrived = resolve));
  worker.onmessage = ({ data: { id, said, dead, parts } }) => {
    if (dead && !ready) return end(missing(dead));
    if (dead) return end(say("The checker broke down: <x1/>", dead));
    ready = true;
    if (parts) keepForLater(parts);
    arrived();
    waiting.get(id)?.resolve(said);
    waiting.delete(id);
  };
  worker.onerror = (event) => end(missing(event.message ?? say("a file is missing")));
}

const missing = (why) => navigator.onLine ? say("The checker could not be started: <x1/>", why)
  : say("The checker could not be loaded: there is no network, and this browser has not kept all of it.");

// From now on what is visited, and the checker, are there without network too (docs/offline.js).
async function keepForLater(parts) {
  try {
    await navigator.serviceWorker.register(new URL("../../offline.js", import.meta.url));
    const { active } = await navigator.serviceWorker.ready;
    const ours = performance.getEntriesByType("resource").map(({ name }) => name);
    active.postMessage([location.href.split(/[?#]/)[0], ...ours, ...parts]);
  } catch { /* not in this browser, or not from this server */ }
}

// Who has had a check today finds the checker ready on later pages, too: it wakes when the page is seen and has nothing
// else to do, and rehearses what stands at one place.
const USED = "genmath checker", DAY = 86_400_000;

export function wakeWhenIdle(place) {
  if (!(Date.now() - storage?.getItem(USED) < DAY) || navigator.connection?.saveData) return;
  const idle = () => (window.requestIdleCallback ?? setTimeout)(() => rehearse(place));
  if (document.readyState !== "complete") addEventListener("load", () => wakeWhenIdle(place), { once: true });
  else if (document.hidden) addEventListener("visibilitychange", idle, { once: true });
  else idle();
}

// A first check costs what the browser compiles for it and what the checker finds and keeps. So what the book has at a
// place is checked while the reader looks, once and one place at a time, and shown to nobody. When he checks, none begins.
const rehearsed = new Set();
let rehearsal = null; // a promise that the last has ended

export function rehearse({ name, exercise }) {
  wake();
  const place = name || exercise;
  rehearsal = Promise.all([loaded, rehearsal]).then(() => {
    if (waiting.size || rehearsed.has(place)) return null;
    rehearsed.add(place);
    return send({ name, exercise });
  }).catch(() => {}); // it was ended
}

export function end(why) {
  worker?.terminate();
  worker = null;
  ready = false;
  rehearsed.clear();
  rehearsal = null;
  for (const { reject } of waiting.values()) reject(new Error(why));
  waiting.clear();
}

function send(what) {
  const id = ++asked;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker.postMessage({ id, ...what });
  });
}

export function ask(what) {
  wake();
  try { storage?.setItem(USED, Date.now()); } catch { /* it is full */ }
  rehearsed.add(what.name || what.exercise);
  const answered = send(what), id = asked;
  const seconds = limit();
  loaded.then(() => setTimeout(() => waiting.has(id) && end(say("Stopped: no answer in <x1/> seconds.", seconds)), seconds * 1000));
  return answered;
}
