//! How much passed through during the last minute, as one knows it who asked for the figure once and
//! has heard of every run since: the figure fades out while what was heard fills the minute again.
//!
//! Two clocks are kept apart. Whether a run is in a figure already is told by the server's times
//! alone; how old something is, by the listener's.

use std::collections::VecDeque;
use std::ops::AddAssign;

const MINUTE_MS: i64 = 60_000;
const MINUTE_SECONDS: i64 = 60;

/// Records that came in, and records that were stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// How many came in.
    pub received: i64,
    /// How many were stored.
    pub stored: i64,
}

impl AddAssign for Passed {
    fn add_assign(&mut self, other: Self) {
        self.received += other.received;
        self.stored += other.stored;
    }
}

/// A run that was heard of.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    /// When it finished by the server's clock, in milliseconds since 1970.
    pub finished_at_ms: i64,
    /// What it received and stored.
    pub passed: Passed,
}

/// A figure that was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// The end of its minute by the server's clock, in milliseconds since 1970. What finished later
    /// is not in it.
    pub until_ms: i64,
    /// What passed in that minute.
    pub passed: Passed,
}

/// What passed during the last minute: at most 60 counts and one figure, however many runs there
/// are. `now_ms` is the listener's clock, in milliseconds since 1970.
#[derive(Clone, Debug, Default)]
pub struct LastMinute {
    /// What was heard in each second, the oldest first.
    seconds: VecDeque<(i64, Passed)>,
    /// The last figure, and when it came.
    figure: Option<(Figure, i64)>,
}

impl LastMinute {
    /// Counts a run, unless it is in the figure.
    pub fn hear(&mut self, now_ms: i64, run: Heard) {
        let known = self
            .figure
            .is_some_and(|(figure, _)| run.finished_at_ms <= figure.until_ms);
        if known {
            return;
        }
        let second = now_ms.div_euclid(1_000);
        let is_old = |heard: i64| heard <= second - MINUTE_SECONDS;
        while self
            .seconds
            .front()
            .is_some_and(|(heard, _)| is_old(*heard))
        {
            self.seconds.pop_front();
        }
        // After a clock that was put back.
        while self
            .seconds
            .back()
            .is_some_and(|(heard, _)| *heard > second)
        {
            self.seconds.pop_back();
        }
        match self.seconds.back_mut() {
            Some((heard, passed)) if *heard == second => *passed += run.passed,
            _ => self.seconds.push_back((second, run.passed)),
        }
    }

    /// Takes over a figure in place of all that was heard so far, apart from those runs of `heard`
    /// that finished too late to be in it. A figure that is older than the last one is not used.
    pub fn load(&mut self, now_ms: i64, figure: Figure, heard: impl IntoIterator<Item = Heard>) {
        let is_overtaken = self
            .figure
            .is_some_and(|(last, _)| last.until_ms > figure.until_ms);
        if is_overtaken {
            return;
        }
        self.seconds.clear();
        self.figure = Some((figure, now_ms));
        for run in heard {
            self.hear(now_ms, run);
        }
    }

    /// What passed during the minute before now. As nobody knows when what is in the figure passed,
    /// it leaves the minute evenly.
    pub fn at(&self, now_ms: i64) -> Passed {
        let first = now_ms.div_euclid(1_000) - MINUTE_SECONDS + 1;
        let mut sum = Passed::default();
        for (_, passed) in self.seconds.iter().filter(|(second, _)| *second >= first) {
            sum += *passed;
        }
        if let Some((figure, loaded_at_ms)) = self.figure {
            let left_ms = (loaded_at_ms + MINUTE_MS - now_ms).clamp(0, MINUTE_MS);
            let rest = |count: i64| (count * left_ms + MINUTE_MS / 2) / MINUTE_MS;
            sum += Passed {
                received: rest(figure.passed.received),
                stored: rest(figure.passed.stored),
            };
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The listener's clock is an hour ahead of the server's.
    const AHEAD_MS: i64 = 3_600_000;

    fn passed(received: i64) -> Passed {
        Passed {
            received,
            stored: received / 2,
        }
    }

    fn run(finished_at_ms: i64, received: i64) -> Heard {
        Heard {
            finished_at_ms,
            passed: passed(received),
        }
    }

    fn figure(until_ms: i64, received: i64) -> Figure {
        Figure {
            until_ms,
            passed: passed(received),
        }
    }

    /// What `rate` says at a time of the server's clock.
    fn check(rate: &LastMinute, at_ms: i64, received: i64) {
        assert_eq!(rate.at(AHEAD_MS + at_ms), passed(received), "at {at_ms}");
    }

    #[test]
    fn what_is_heard_counts_for_a_minute() {
        let mut rate = LastMinute::default();
        check(&rate, 0, 0);
        rate.hear(AHEAD_MS, run(0, 10));
        rate.hear(AHEAD_MS + 900, run(900, 4));
        rate.hear(AHEAD_MS + 30_000, run(29_950, 100));
        check(&rate, 30_000, 114);
        check(&rate, 59_999, 114);
        check(&rate, 60_000, 100);
        check(&rate, 89_999, 100);
        check(&rate, 90_000, 0);
    }

    #[test]
    fn a_figure_fades_out_evenly_while_the_minute_fills_again() {
        let mut rate = LastMinute::default();
        rate.load(AHEAD_MS, figure(0, 600), []);
        check(&rate, 0, 600);
        check(&rate, 15_000, 450);
        check(&rate, 59_999, 0);
        check(&rate, 60_000, 0);
        check(&rate, 600_000, 0);
        // Ten a second, before and after: always 600 a minute.
        for second in 1..=200 {
            rate.hear(AHEAD_MS + second * 1_000, run(second * 1_000, 10));
            check(&rate, second * 1_000, 600);
        }
    }

    #[test]
    fn what_is_in_the_figure_is_not_counted_again() {
        let mut rate = LastMinute::default();
        let early = [run(100, 2), run(500, 20), run(501, 200)];
        for run in early {
            rate.hear(AHEAD_MS + 510, run);
        }
        check(&rate, 520, 222);
        // The figure counts the first two, and others that were not heard of.
        rate.load(AHEAD_MS + 520, figure(500, 1_000), early);
        check(&rate, 520, 1_200);
        // One that it counts is heard of late.
        rate.hear(AHEAD_MS + 530, run(450, 40));
        check(&rate, 520, 1_200);
        rate.hear(AHEAD_MS + 540, run(502, 2_000));
        check(&rate, 520, 3_200);
        // Another figure counts them all; the first one comes again, too late.
        rate.load(AHEAD_MS + 2_000, figure(1_990, 3_240), early);
        rate.load(AHEAD_MS + 2_010, figure(500, 1_000), early);
        check(&rate, 2_000, 3_240);
    }

    #[test]
    fn it_stays_small_and_survives_a_clock_that_is_put_back() {
        let mut rate = LastMinute::default();
        for ms in (0..300_000).step_by(10) {
            rate.hear(AHEAD_MS + ms, run(ms, 2));
            assert!(rate.seconds.len() <= 60);
        }
        check(&rate, 299_999, 12_000);
        rate.hear(0, run(300_000, 8));
        assert_eq!(rate.at(0), passed(8));
    }
}
