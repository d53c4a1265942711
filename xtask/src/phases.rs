//! Progress of a long command: a heading and a time per phase, and a table at the end. A failed phase
//! does not stop the others, so that one run tells everything.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// The phases of one run, as far as they are done.
#[derive(Debug)]
pub struct Phases {
    total: usize,
    done: Vec<(&'static str, Outcome, Duration)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    Skipped,
}

impl Phases {
    /// Starts a run of `total` phases.
    pub const fn new(total: usize) -> Self {
        Self {
            total,
            done: Vec::new(),
        }
    }

    /// Runs one phase and returns whether it passed.
    pub fn run(&mut self, title: &'static str, work: impl FnOnce() -> Result<()>) -> bool {
        self.heading(title);
        let start = Instant::now();
        let result = work();
        let time = start.elapsed();
        let outcome = match result {
            Ok(()) => Outcome::Passed,
            Err(error) => {
                println!("{error:#}");
                Outcome::Failed
            }
        };
        println!(
            "{} {title}: {} in {}",
            outcome.mark(),
            outcome.word(),
            seconds(time)
        );
        self.done.push((title, outcome, time));
        outcome == Outcome::Passed
    }

    /// Leaves a phase out, and says why: another one, which it builds on, failed, or the server it
    /// needs cannot be had here. It is in the table, and no failure of its own.
    pub fn skip(&mut self, title: &'static str, reason: &str) {
        self.heading(title);
        println!("{} {title}: {reason}", Outcome::Skipped.mark());
        self.done.push((title, Outcome::Skipped, Duration::ZERO));
    }

    /// Prints the table of phases; an error if one of them failed.
    pub fn finish(self) -> Result<()> {
        println!();
        for (title, outcome, time) in &self.done {
            println!(
                "{} {title:<28} {:<8} {:>9}",
                outcome.mark(),
                outcome.word(),
                seconds(*time)
            );
        }
        let all: Duration = self.done.iter().map(|(.., time)| *time).sum();
        println!("  {:<28} {:<8} {:>9}", "all", "", seconds(all));
        let failed = self
            .done
            .iter()
            .filter(|(_, outcome, _)| *outcome == Outcome::Failed)
            .count();
        if failed > 0 {
            bail!("{failed} of {} phases failed", self.done.len());
        }
        Ok(())
    }

    fn heading(&self, title: &str) {
        let number = self.done.len() + 1;
        say(&format!("[{number}/{}] {title}", self.total));
    }
}

impl Outcome {
    const fn mark(self) -> &'static str {
        match self {
            Self::Passed => "✓",
            Self::Failed => "✗",
            Self::Skipped => "–",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// Prints a line that stands out from the output of the programs that xtask runs.
pub fn say(text: &str) {
    if std::io::stdout().is_terminal() {
        println!("\n\x1b[1m▸ {text}\x1b[0m");
    } else {
        println!("\n▸ {text}");
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_fails_the_run_and_what_is_absent_does_not() {
        let mut run = Phases::new(3);
        assert!(run.run("one", || Ok(())));
        run.skip("two", "there is no server");
        assert!(run.finish().is_ok());

        let mut run = Phases::new(3);
        assert!(!run.run("one", || bail!("no")));
        run.skip("two", "builds on one");
        let error = run.finish().expect_err("one failed");
        assert_eq!(error.to_string(), "1 of 2 phases failed");
    }
}
