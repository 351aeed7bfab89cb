//! Cases, and the table of what became of them.

use std::{future::Future, io::Write, panic, pin::Pin, time::Duration};

use tokio::time::{Instant, timeout};

/// Far more than any case takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

type Run<W> = Box<dyn FnOnce(W) -> Pin<Box<dyn Future<Output = String> + Send>>>;

/// Something that has to hold. It panics where it does not, and else says what it has seen.
pub(crate) struct Case<W> {
    /// Who meets whom.
    pair: &'static str,
    name: String,
    run: Run<W>,
}

impl<W> Case<W> {
    pub(crate) fn new<F>(
        pair: &'static str,
        name: impl Into<String>,
        run: impl FnOnce(W) -> F + 'static,
    ) -> Self
    where
        F: Future<Output = String> + Send + 'static,
    {
        Self { pair, name: name.into(), run: Box::new(|world| Box::pin(run(world))) }
    }

    /// Whether the words are all found in its name or its pair.
    fn matches(&self, words: &[String]) -> bool {
        let title = format!("{} {}", self.pair, self.name).to_lowercase();
        words.iter().all(|word| title.contains(&word.to_lowercase()))
    }
}

/// Runs the cases whose titles have these words one after the other and prints a line about each. Tells whether all
/// cases hold, which a case that was left out does not.
pub(crate) async fn run<W: Clone>(
    cases: Vec<Case<W>>,
    words: &[String],
    world: W,
    out: &mut impl Write,
) -> bool {
    let total = cases.len();
    let chosen: Vec<_> = cases.into_iter().filter(|case| case.matches(words)).collect();
    let skipped = total - chosen.len();
    let (mut passed, mut pair) = (0, "");
    for case in chosen {
        if case.pair != pair {
            pair = case.pair;
            writeln!(out, "\n{pair}").unwrap();
        }
        let start = Instant::now();
        let mut running = tokio::spawn((case.run)(world.clone()));
        let (word, seen) = match timeout(LIMIT, &mut running).await {
            Ok(Ok(seen)) => ("pass", seen),
            Ok(Err(error)) => ("FAIL", reason(error)),
            Err(_) => {
                // Its phone would go on advertising for the cases after it.
                running.abort();
                let _ = running.await;
                ("FAIL", format!("nothing after {} s", LIMIT.as_secs()))
            }
        };
        passed += usize::from(word == "pass");
        let took = start.elapsed().as_millis();
        writeln!(out, "  {word}  {:<52} {took:>6} ms  {seen}", case.name).unwrap();
        out.flush().unwrap();
    }
    let failed = total - skipped - passed;
    writeln!(out, "\ncases: {total}, passed: {passed}, failed: {failed}, skipped: {skipped}").unwrap();
    passed == total && total > 0
}

/// The words of a panic.
fn reason(error: tokio::task::JoinError) -> String {
    let payload = match error.try_into_panic() {
        Ok(payload) => payload,
        Err(error) => return error.to_string(),
    };
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}

/// Keeps panics from being printed twice.
pub(crate) fn quiet_panics() {
    panic::set_hook(Box::new(|_| {}));
}
