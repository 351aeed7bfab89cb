// A reporter of node:test: one line for each case, and how many there were. A case that is skipped is a failure.

// How many cases there are; one that did not run is a failure.
const CASES = 9;

export default async function* table(events) {
  const count = { passed: 0, failed: 0, skipped: 0 };
  for await (const { type, data } of events) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    // A file with tests in it is reported as one more test.
    if (data.details?.type === "suite" || data.name.endsWith(".mjs")) {
      if (type === "test:fail") yield `${data.name}: ${data.details?.error?.cause ?? data.details?.error}\n`;
      continue;
    }
    const skipped = data.skip !== undefined || data.todo !== undefined;
    const outcome = skipped ? "skipped" : type === "test:pass" ? "passed" : "failed";
    count[outcome] += 1;
    const seconds = (data.details.duration_ms / 1000).toFixed(1).padStart(6);
    yield `${outcome.padEnd(8)} ${seconds} s  ${data.name}\n`;
    if (outcome === "failed") yield `${data.details.error?.cause?.stack ?? data.details.error}\n`;
  }
  if (count.passed !== CASES) process.exitCode = 1;
  yield `${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`;
}
