// Registers and signs in with a real Chromium and a phone.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { launch, someone, visit } from "./site.mjs";
import { phone } from "./testbed.mjs";

let browser, visitor;

before(async () => {
  browser = await launch();
});

after(() => browser.close());

beforeEach(async () => {
  visitor = await visit(browser);
});

afterEach(() => visitor.context.close());

test("registers with a phone", async () => {
  const name = someone();
  await visitor.registered(name);
  assert.deepEqual((await phone.passkeys()).map((passkey) => passkey.user_name), [name]);
});

test("signs in with a phone", async () => {
  const name = someone();
  await visitor.registered(name);
  await visitor.signOut();
  await visitor.click("Sign in");
  await visitor.says("Welcome back.");
  assert.equal(await visitor.page.locator("#user").textContent(), name);
});

test("a refusal on the phone leaves nobody registered", async () => {
  await phone.script({ answer: "wait" });
  const { session } = await phone.status();
  await visitor.register(someone());
  const asking = await phone.wait("asking", session);
  assert.equal(asking.operation, "create");
  await phone.refuse();
  const end = await phone.wait("answered,finished", session);
  assert.equal(end.status, 0x27, "CTAP2_ERR_OPERATION_DENIED");
  assert.deepEqual(await phone.passkeys(), []);
  assert.equal(await visitor.page.locator("#signed-in").isVisible(), false);
});

test("staff cannot use the phone's synced passkey, and are told why", async () => {
  const name = someone();
  await visitor.page.getByLabel("Group").selectOption("staff");
  await visitor.page.locator("#rules").getByText("Only passkeys that are bound to one device.").waitFor();
  await visitor.register(name, "staff");
  await visitor.says("Group “staff” cannot use this passkey: it is synced");
  assert.equal((await phone.passkeys()).length, 1, "the phone has made one");
  assert.equal(await visitor.page.locator("#signed-in").isVisible(), false);
});
