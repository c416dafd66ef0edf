// A phone with the mini program on it: it runs the real pages with the real SDK, shows what their WXML shows,
// and is tapped. Only WeChat itself is played; requests go out over real connections.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, loader } from "./modules.mjs";
import { network } from "./network.mjs";
import { elements, parse, render } from "./wxml.mjs";

/** The text of what is shown, in order. */
const textOf = (shown) => shown.map((one) => (one.tag ? textOf(one.children) : one)).join(" ");

export class Phone {
  /** `config` stands in the place of config.js; `login` gives the code that wx.login hands over. */
  constructor({ config, login, storage = new Map() }) {
    Object.assign(this, { config, login, storage, requests: [], logins: 0, toasts: [] });
    this.pages = [];
    this.pending = [];
    this.later = 0;
    this.timers = new Map();
  }

  /** Opens the mini program: App, then the first page of app.json. */
  async launch() {
    const { pages } = JSON.parse(readFileSync(join(ROOT, "app.json"), "utf8"));
    this.load = loader(this.#globals(), { "config.js": this.config });
    this.pages = [];
    this.load("app.js");
    this.#follow(this.app.onLaunch?.({ path: pages[0], query: {} }));
    this.#open(`/${pages[0]}`);
    await this.settled();
    return this;
  }

  /** Closes it and opens it again; what was stored is still there. */
  again() {
    return new Phone({ config: this.config, login: this.login, storage: this.storage }).launch();
  }

  get page() {
    return this.pages.at(-1);
  }

  get shown() {
    return render(this.page.tree, this.page.data);
  }

  get text() {
    return textOf(this.shown);
  }

  /** Fails unless the page shows this. */
  sees(wanted) {
    const { text } = this;
    const there = wanted instanceof RegExp ? wanted.test(text) : text.includes(wanted);
    assert.ok(there, `${this.page.route} does not show ${wanted}; it shows: ${text}`);
  }

  /** The button or link with this text; fails if it is not to be seen. */
  button(text, shown = this.shown) {
    const all = elements({ children: shown });
    const found = all.find((one) => ["button", "navigator"].includes(one.tag) && textOf(one.children).trim() === text);
    assert.ok(found, `${this.page.route} has no button ${text}; it shows: ${this.text}`);
    return found;
  }

  /** Taps it, and waits until what follows is over. `event` is what WeChat's own dialog comes back with. */
  async tap(text, event = {}) {
    this.press(text, event);
    await this.settled();
  }

  /** Taps it and does not wait. */
  press(text, event = {}) {
    this.aim(text, event)();
  }

  /** A finger above it as it is shown now; each call is a tap, even if the page has changed since. */
  aim(text, event = {}) {
    const { shown } = this;
    const button = this.button(text, shown);
    const { disabled, bindtap, url, "open-type": kind, "form-type": submits } = button.attributes;
    assert.ok(!disabled, `${text} cannot be tapped now`);
    if (url) return () => this.#open(url);
    if (submits === "submit") return () => this.#submit(button, shown);
    return () => this.#fire(kind ? button.attributes[`bind${kind.toLowerCase()}`] : bindtap, event);
  }

  /** Types into the input of this name, in place of what was there. */
  async type(name, words) {
    const input = elements({ children: this.shown }).find((one) => one.tag === "input" && one.attributes.name === name);
    assert.ok(input, `${this.page.route} has no input ${name}; it shows: ${this.text}`);
    this.page.typed[name] = words.slice(0, input.attributes.maxlength ?? 140);
    if (input.attributes.bindinput) this.#fire(input.attributes.bindinput, { value: this.page.typed[name] });
    await this.settled();
  }

  /** Comes to a page as a link that somebody shared leads there. */
  async open(url) {
    this.#open(url);
    await this.settled();
  }

  /** Goes back by the arrow on top. */
  async back() {
    this.#close();
    await this.settled();
  }

  /** Lets this much time pass on the phone's clock, with the ticks that are due. */
  pass(seconds) {
    for (let second = 0; second < seconds; second += 1) {
      this.later += 1000;
      for (const tick of [...this.timers.values()]) tick();
    }
  }

  /** Waits until nothing that was begun is under way. */
  async settled() {
    while (this.pending.length) await this.pending.shift();
  }

  /** Runs what WeChat calls back. An error there is the test's. */
  calls(back) {
    try {
      back();
    } catch (error) {
      this.pending.push(Promise.reject(error));
    }
  }

  #fire(handler, detail) {
    const { page } = this;
    assert.equal(typeof page[handler], "function", `${page.route} has no ${handler}`);
    this.#follow(page[handler]({ type: "tap", detail }));
  }

  #follow(promise) {
    if (typeof promise?.then === "function") this.pending.push(promise);
  }

  // What was typed, and where nothing was, what the page put there.
  #submit(button, shown) {
    const form = elements({ children: shown }).find((one) => one.tag === "form" && elements(one).includes(button));
    assert.ok(form, "the button is in no form");
    const inputs = elements(form).filter((one) => one.tag === "input");
    const value = inputs.map(({ attributes: { name, value } }) => [name, this.page.typed[name] ?? value ?? ""]);
    this.#fire(form.attributes.bindsubmit, { value: Object.fromEntries(value) });
  }

  #open(url) {
    const route = url.replace(/^\//, "").split("?")[0];
    this.pages.at(-1)?.onHide?.();
    this.defined = undefined;
    // A page's script runs once for each app, and every visit gets a copy of what it declared.
    this.load(`${route}.js`);
    this.declared.set(route, this.defined ?? this.declared.get(route));
    const declared = this.declared.get(route);
    assert.ok(declared, `${route}.js calls no Page()`);
    const tree = parse(readFileSync(join(ROOT, `${route}.wxml`), "utf8"), `${route}.wxml`);
    const page = { ...declared, route, tree, typed: {}, data: structuredClone(declared.data) };
    page.setData = (changes, done) => {
      Object.assign(page.data, structuredClone(changes));
      done?.();
    };
    this.pages.push(page);
    this.#follow(page.onLoad?.({}));
    this.#follow(page.onShow?.());
    page.onReady?.();
  }

  #close() {
    this.pages.pop().onUnload?.();
    this.#follow(this.page.onShow?.());
  }

  #globals() {
    const phone = this;
    this.declared = new Map();
    let timer = 0;
    return {
      wx: this.#wx(),
      // What the mini program calls an error is one.
      console: { ...console, error: (error) => phone.pending.push(Promise.reject(error)) },
      setTimeout,
      clearTimeout,
      setInterval: (tick) => phone.timers.set((timer += 1), tick) && timer,
      clearInterval: (which) => phone.timers.delete(which),
      Date: class extends Date {
        constructor(...given) {
          super(...(given.length ? given : [Date.now() + phone.later]));
        }

        static now = () => Date.now() + phone.later;
      },
      App: (app) => (phone.app = app),
      Page: (page) => (phone.defined = page),
      getApp: () => phone.app,
      getCurrentPages: () => [...phone.pages],
    };
  }

  // What is not here the mini program must not use.
  #wx() {
    const { storage } = this;
    return {
      ...network(this),
      login: ({ success, fail }) => {
        this.logins += 1;
        this.login().then(
          (code) => this.calls(() => success({ code, errMsg: "login:ok" })),
          () => this.calls(() => fail({ errMsg: "login:fail" })),
        );
      },
      getStorageSync: (key) => (storage.has(key) ? JSON.parse(storage.get(key)) : ""),
      setStorageSync: (key, value) => storage.set(key, JSON.stringify(value)),
      removeStorageSync: (key) => storage.delete(key),
      showToast: ({ title }) => this.toasts.push(title),
      navigateTo: ({ url }) => this.#open(url),
      navigateBack: () => this.#close(),
    };
  }
}
