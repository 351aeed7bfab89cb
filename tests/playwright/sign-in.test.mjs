// Registers and signs in with a real Chromium and a phone.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { chromium } from "playwright-core";
import { phone, testbed } from "./testbed.mjs";

const site = process.env.SITE ?? "http://localhost:8080";
const patience = { timeout: 20_000 };
let browser, context, page;

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: false, // Only a browser with windows asks about phones.
    args: testbed.chromium_args,
  });
});

after(() => browser.close());

beforeEach(async () => {
  await phone.forget();
  await phone.script({ answer: "approve", delay_ms: 0, account: null, radio: true });
  context = await browser.newContext();
  page = await context.newPage();
  await page.goto(site);
});

afterEach(() => context.close());

const says = (text) => page.getByRole("status").getByText(text).waitFor(patience);

async function register(name) {
  await page.getByLabel("User name").fill(name);
  await page.getByRole("button", { name: "Register" }).click();
}

async function registered(name) {
  await register(name);
  await says("You are registered.");
}

async function signOut() {
  await page.getByRole("button", { name: "Sign out" }).click();
  await says("You are signed out.");
}

/** A name that no earlier test has taken. */
const someone = () => `ada-${process.pid}-${Math.random().toString(36).slice(2)}`;

test("registers with a phone", async () => {
  const name = someone();
  await registered(name);
  assert.deepEqual((await phone.passkeys()).map((passkey) => passkey.user_name), [name]);
});

test("signs in with a phone", async () => {
  const name = someone();
  await registered(name);
  await signOut();
  await page.getByRole("button", { name: "Sign in" }).click();
  await says("Welcome back.");
  assert.equal(await page.locator("#user").textContent(), name);
});

test("a refusal on the phone leaves nobody registered", async () => {
  await phone.script({ answer: "wait" });
  const { session } = await phone.status();
  await register(someone());
  const asking = await phone.wait("asking", session);
  assert.equal(asking.operation, "create");
  await phone.refuse();
  const end = await phone.wait("answered,finished", session);
  assert.equal(end.status, 0x27, "CTAP2_ERR_OPERATION_DENIED");
  assert.deepEqual(await phone.passkeys(), []);
  assert.equal(await page.locator("#signed-in").isVisible(), false);
});
