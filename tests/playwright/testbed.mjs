// The phone of hybridge-testbed, as a test sees it.

const settings = process.env.HYBRIDGE_TESTBED;
if (!settings) throw new Error("there is no testbed: run this by `hybridge-testbed --display -- …`");

/** What the testbed tells: `chromium_args`, `control` and `environment`. */
export const testbed = JSON.parse(settings);

async function call(method, path, body) {
  const response = await fetch(testbed.control + path, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

export const phone = {
  /** What it does: `{session, state, …}`. */
  status: () => call("GET", "/status"),
  /** Waits until it does one of these for a code after the given session. */
  wait: (states, after = 0) => call("GET", `/status?wait=${states}&session=${after + 1}&timeout_ms=20000`),
  /** Any of `{answer: "approve" | "refuse" | "wait", delay_ms, account, radio}`. */
  script: (change) => call("POST", "/script", change),
  approve: () => call("POST", "/approve"),
  refuse: () => call("POST", "/refuse"),
  passkeys: async () => (await call("GET", "/passkeys")).passkeys,
  forget: () => call("DELETE", "/passkeys"),
};
