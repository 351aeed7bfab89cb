// Asks the site for a challenge, the browser for a passkey, and the site whether it is the right one.

const element = (id) => document.getElementById(id);

/** An error whose message is meant for the person. */
class Told extends Error {}

async function call(path, body) {
  const options = {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  let response;
  try {
    response = await fetch(`/api/${path}`, options);
  } catch {
    throw new Told("The site does not answer. Check the connection and try again.");
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) {
    throw new Told(answer?.error ?? "The site has a problem of its own. Try again later.");
  }
  return answer;
}

/** What browsers call their errors, in words. */
function words(error) {
  if (error instanceof Told) return error.message;
  switch (error?.name) {
    case "NotAllowedError":
      return "It was cancelled, refused, or took too long. Try again.";
    case "InvalidStateError":
      return "This phone has a passkey for this account already. Sign in with it.";
    case "SecurityError":
      return "The browser does not allow passkeys on this page. Open it under the name that it was set up for.";
    case "NotSupportedError":
      return "The phone or key does not know any kind of passkey that this site takes.";
    default:
      return "The browser could not use a passkey. Try again, or use another browser.";
  }
}

function requirePasskeys() {
  const known = window.PublicKeyCredential?.parseCreationOptionsFromJSON
    && window.PublicKeyCredential?.parseRequestOptionsFromJSON;
  if (!known) throw new Told("This browser is too old for passkeys. Use a newer one.");
}

const FOLLOW = "Follow the browser: choose a phone and scan the code.";

async function register(username, group) {
  requirePasskeys();
  const options = await call("register/begin", { username, group });
  say(`${FOLLOW} ${options.rules}`);
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options.publicKey);
  const credential = await navigator.credentials.create({ publicKey });
  return call("register/finish", credential.toJSON());
}

async function signIn(username) {
  requirePasskeys();
  const options = await call("sign-in/begin", { username });
  say(`${FOLLOW} ${options.rules}`);
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options.publicKey);
  const credential = await navigator.credentials.get({ publicKey });
  return call("sign-in/finish", credential.toJSON());
}

function say(text, kind = "") {
  element("status").className = kind;
  element("status").textContent = text;
}

/** Shows who is signed in, or the form. */
function show(person) {
  element("signed-out").hidden = person !== null;
  element("signed-in").hidden = person === null;
  element("user").textContent = person?.user ?? "";
  const count = person?.passkeys ?? 0;
  element("passkeys").textContent = count === 1 ? "The account has one passkey." : `The account has ${count} passkeys.`;
}

/** Runs one thing at a time, and says how it went. */
async function run(action, then) {
  const buttons = [...document.querySelectorAll("button")].filter((button) => !button.disabled);
  const focused = document.activeElement;
  buttons.forEach((button) => { button.disabled = true; });
  document.querySelector("main").setAttribute("aria-busy", "true");
  say("");
  try {
    then(await action());
  } catch (error) {
    say(words(error), "bad");
  }
  document.querySelector("main").setAttribute("aria-busy", "false");
  buttons.forEach((button) => { button.disabled = false; });
  // A button loses the focus when it is disabled.
  if (focused?.offsetParent) focused.focus();
}

/** Shows a person, or nobody, and says why. */
const shown = (text) => (person) => {
  show(person);
  say(text, "good");
  // Whoever reads by ear or by keyboard goes on where the page now begins.
  const next = person ? element("add") : element("username");
  next.focus();
};

element("group")?.addEventListener("change", ({ target }) => {
  element("rules").textContent = target.selectedOptions[0].dataset.rules;
});

const username = () => element("username").value.trim();

if (element("form")) {
  element("form").addEventListener("submit", (event) => {
    event.preventDefault();
    run(() => signIn(username()), shown("Welcome back."));
  });
  element("register").addEventListener("click", () => {
    run(() => register(username(), element("group").value), shown("You are registered."));
  });
  element("leave").addEventListener("submit", (event) => {
    event.preventDefault();
    run(() => call("sign-out", {}), shown("You are signed out."));
  });
  element("add").addEventListener("click", () => {
    run(() => register(element("user").textContent), shown("The passkey was added."));
  });
} else {
  // The page of an account is made anew by the server.
  element("add")?.addEventListener("click", () => {
    run(() => register(element("user").textContent), () => location.assign("/account?added"));
  });
}
