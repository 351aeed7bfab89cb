// A browser on the website, as its visitors use it.

import { chromium } from "playwright-core";
import { phone, testbed } from "./testbed.mjs";

const site = process.env.SITE ?? "http://localhost:8080";
export const patience = { timeout: 20_000 };

export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: false, // Only a browser with windows asks about phones.
  args: testbed.chromium_args,
});

/** A name that no earlier test has taken. */
export const someone = () => `ada-${process.pid}-${Math.random().toString(36).slice(2)}`;

/** A new visitor at a page, with a phone that approves everything. Options are those of Playwright's contexts. */
export async function visit(browser, path = "/", options = {}) {
  await phone.forget();
  await phone.script({ answer: "approve", delay_ms: 0, account: null, radio: true });
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(site + path);
  return new Visitor(context, page);
}

class Visitor {
  constructor(context, page) {
    this.context = context;
    this.page = page;
  }

  says(text) {
    return this.page.getByRole("status").getByText(text).waitFor(patience);
  }

  click(name) {
    return this.page.getByRole("button", { name }).click();
  }

  async register(name, group = "everyone") {
    await this.page.getByLabel("User name").fill(name);
    await this.page.getByLabel("Group").selectOption(group);
    await this.click("Register");
  }

  async registered(name) {
    await this.register(name);
    await this.says("You are registered.");
  }

  async signOut() {
    await this.click("Sign out");
    await this.says("You are signed out.");
  }

  /** Fills in the page for passwords, and presses a button. */
  async withPassword(name, button) {
    await this.page.goto(`${site}/password`);
    await this.page.getByLabel("User name").fill(name);
    await this.page.getByLabel("Password", { exact: true }).fill("correct horse battery");
    await this.click(button);
  }

  account() {
    return this.page.goto(`${site}/account`);
  }

  /** Keeps a picture of the page, if a folder for pictures is named. */
  async picture(name) {
    const folder = process.env.PICTURES;
    if (folder) await this.page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
  }
}
