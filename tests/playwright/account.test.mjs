// The page of an account: from a password to a passkey, and what is done with passkeys.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, someone, visit } from "./site.mjs";

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser.close());

/** Runs a test with a visitor of its own. */
const visiting = (options, run) => async () => {
  const visitor = await visit(browser, "/", options);
  try {
    await run(visitor);
  } finally {
    await visitor.context.close();
  }
};

test("from a password to a passkey", visiting({}, async (visitor) => {
  const name = someone();
  await visitor.withPassword(name, "Register");
  await visitor.says("You are registered.");
  await visitor.page.getByText("Sign in without the password next time").waitFor();
  await visitor.click("Add a passkey");
  await visitor.says("The passkey was added.");
  await visitor.click("Sign out");
  await visitor.says("You are signed out.");
  await visitor.page.getByLabel("User name").fill(name);
  await visitor.click("Sign in");
  await visitor.says("Welcome back.");
}));

test("passkeys are listed in words, renamed and deleted", visiting({}, async (visitor) => {
  await visitor.registered(someone());
  await visitor.page.getByRole("link", { name: "Passkeys and password" }).click();
  const passkey = visitor.page.getByRole("article");
  await passkey.getByText("Synced passkey (backup eligible, backed up)").waitFor();
  await passkey.getByText("a phone nearby, by QR code").waitFor();
  await passkey.getByLabel("New name for Passkey").fill("My phone");
  await visitor.click("Rename");
  await visitor.says("The passkey has a new name.");
  await visitor.page.getByRole("heading", { name: "My phone" }).waitFor();
  await visitor.click("Delete");
  await visitor.says("This is the last way into your account.");
  await visitor.page.getByText("Set a password").click();
  await visitor.page.getByLabel("New password").fill("correct horse battery");
  await visitor.click("Save the password");
  await visitor.says("The password is set.");
  await visitor.click("Delete");
  await visitor.says("The passkey is deleted.");
  assert.equal(await visitor.page.getByRole("article").count(), 0);
}));

test("a password works without a script", visiting({ javaScriptEnabled: false }, async (visitor) => {
  const name = someone();
  await visitor.withPassword(name, "Register");
  await visitor.says("You are registered.");
  await visitor.click("Sign out");
  await visitor.says("You are signed out.");
  await visitor.withPassword(name, "Sign in");
  await visitor.says("Welcome back.");
  assert.equal(await visitor.page.locator("#user").textContent(), name);
}));

for (const colorScheme of ["light", "dark"]) {
  test(`nothing is cut off, ${colorScheme} and narrow`, visiting({ colorScheme }, async (visitor) => {
    const { page } = visitor;
    const failures = [];
    page.on("console", (message) => { if (message.type() === "error") failures.push(message.text()); });
    const look = async (name) => {
      await page.setViewportSize({ width: 320, height: 640 });
      const [wide, inner] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide <= inner, `${name} is ${wide} wide on a screen of ${inner}`);
      await visitor.picture(`${name}-${colorScheme}-narrow`);
      await page.setViewportSize({ width: 1000, height: 800 });
      await visitor.picture(`${name}-${colorScheme}`);
    };
    await look("start");
    await visitor.registered(someone());
    await look("signed-in");
    await visitor.account();
    await look("account");
    await visitor.click("Sign out");
    await visitor.withPassword(someone(), "Sign in");
    await visitor.says("do not belong together");
    await look("password");
    await visitor.withPassword(someone(), "Register");
    await look("upgrade");
    // One refusal of a password; everything else is what the rules for browsers on these pages forbid.
    assert.deepEqual(failures.filter((text) => !text.includes("401")), []);
  }));
}
