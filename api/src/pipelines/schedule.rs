//! When a source is polled: at an interval, or at the times of a cron expression on the clock of a
//! time zone. What was missed is skipped.

use std::str::FromStr as _;

use chrono::TimeZone as _;
use chrono_tz::Tz;
use croner::Cron;
use dash_shared::ids::PipelineId;
use dash_shared::plans::Plan;
use dash_shared::sources::polling::Schedule;
use dash_shared::{Invalid, InvalidCode};
use xxhash_rust::xxh3::xxh3_64;

/// The longest pause between polls that fail, unless the schedule itself has longer ones.
const MAX_BACKOFF_MS: i64 = 15 * 60_000;
/// How far polls of one moment are spread: many are meant for the full minute.
const MAX_SPREAD_MS: i64 = 20_000;
/// How many times of a cron expression are looked at to find the shortest pause.
const LOOKED_AT: usize = 1_000;
/// The longest time from now to the times that are looked at.
const LOOKED_AHEAD_MS: i64 = 400 * 86_400_000;

/// The times of a cron expression.
#[derive(Debug)]
pub(super) struct CronTimes {
    cron: Cron,
    zone: Tz,
}

/// What is wrong with a cron expression: the field of it, and a sentence.
pub(super) type CronProblem = (&'static str, String);

impl CronTimes {
    pub(super) fn parse(expression: &str, time_zone: &str) -> Result<Self, CronProblem> {
        let zone = Tz::from_str(time_zone).map_err(|_| {
            let message = format!("“{time_zone}” is not a time zone like Europe/Berlin or UTC.");
            ("timeZone", message)
        })?;
        let cron = Cron::from_str(expression).map_err(|error| {
            let message = format!("This is not a cron expression like 0 9 * * 1-5: {error}");
            ("expression", message)
        })?;
        Ok(Self { cron, zone })
    }

    /// The first time after `ms`.
    pub(super) fn after(&self, ms: i64) -> Option<i64> {
        let from = self.zone.timestamp_millis_opt(ms).single()?;
        let next = self.cron.find_next_occurrence(&from, false).ok()?;
        Some(next.timestamp_millis())
    }

    /// The next times, at most so many.
    pub(super) fn next(&self, after_ms: i64, count: usize) -> Vec<i64> {
        std::iter::successors(self.after(after_ms), |ms| self.after(*ms))
            .take(count)
            .collect()
    }

    /// The shortest pause between two of the next times; none if there are not two.
    fn shortest_pause_ms(&self, now_ms: i64) -> Option<i64> {
        let mut before = self.after(now_ms)?;
        let mut shortest: Option<i64> = None;
        for _ in 0..LOOKED_AT {
            let Some(next) = self.after(before) else {
                break;
            };
            let pause = next - before;
            shortest = Some(shortest.map_or(pause, |shortest| shortest.min(pause)));
            before = next;
            if next > now_ms + LOOKED_AHEAD_MS {
                break;
            }
        }
        shortest
    }
}

/// Checks a schedule, as far as that needs to know the times.
pub(super) fn check(schedule: &Schedule, plan: Plan, now_ms: i64) -> Result<(), Invalid> {
    let Schedule::Cron { cron, time_zone } = schedule else {
        return Ok(());
    };
    let wrong = |(field, message): CronProblem| {
        Invalid::new(&format!("cron.{field}"), InvalidCode::Invalid, message)
    };
    let times = CronTimes::parse(cron, time_zone).map_err(wrong)?;
    if times.after(now_ms).is_none() {
        let message = "This never happens. Choose a day that there is.".to_owned();
        return Err(wrong(("expression", message)));
    }
    let Some(shortest_ms) = times.shortest_pause_ms(now_ms) else {
        return Ok(());
    };
    let seconds = u32::try_from(shortest_ms / 1_000).unwrap_or(u32::MAX);
    plan.check_polling_interval(seconds).map_err(|mut problem| {
        problem.field = vec!["cron".to_owned(), "expression".to_owned()];
        problem
    })
}

/// When a pipeline is polled after a poll that was due at `run_at_ms` and went well.
pub(super) fn next_slot(schedule: &Schedule, id: PipelineId, run_at_ms: i64, now_ms: i64) -> i64 {
    match schedule {
        Schedule::Every { interval_seconds } => {
            next_of_interval(run_at_ms, i64::from(*interval_seconds) * 1_000, now_ms)
        }
        Schedule::Cron { cron, time_zone } => {
            let times = CronTimes::parse(cron, time_zone).ok();
            let slot = times.and_then(|times| spread_slot(&times, id, now_ms.max(run_at_ms)));
            // A last time there was; a day later it is looked at again.
            slot.unwrap_or(now_ms + 86_400_000)
        }
    }
}

/// When a pipeline is polled after polls that failed, so many in a row.
pub(super) fn next_after_failures(
    schedule: &Schedule,
    id: PipelineId,
    failures: i32,
    now_ms: i64,
    not_before_ms: i64,
) -> i64 {
    let growing = |pause_ms: i64| {
        let grown = pause_ms.saturating_mul(1 << failures.clamp(0, 10));
        grown.min(MAX_BACKOFF_MS.max(pause_ms))
    };
    match schedule {
        Schedule::Every { interval_seconds } => {
            let backoff_ms = growing(i64::from(*interval_seconds) * 1_000);
            (now_ms + backoff_ms).max(not_before_ms)
        }
        Schedule::Cron { cron, time_zone } => {
            let times = CronTimes::parse(cron, time_zone).ok();
            let slot = times.and_then(|times| {
                let [next, following] = times.next(now_ms, 2)[..] else {
                    return times.after(now_ms);
                };
                let pause_ms = following - next;
                let from_ms = now_ms + growing(pause_ms) - pause_ms;
                spread_slot(&times, id, from_ms.max(not_before_ms))
            });
            slot.unwrap_or(now_ms + 86_400_000).max(not_before_ms)
        }
    }
}

/// The first whole number of intervals after `run_at_ms` that is after `now_ms`.
pub(super) fn next_of_interval(run_at_ms: i64, interval_ms: i64, now_ms: i64) -> i64 {
    let passed = (now_ms - run_at_ms).max(0) / interval_ms.max(1);
    run_at_ms + (passed + 1) * interval_ms.max(1)
}

/// The next time of a cron expression, a little later: always the same for one pipeline, and another
/// for each, so that those that are meant for one moment do not all come in it.
fn spread_slot(times: &CronTimes, id: PipelineId, after_ms: i64) -> Option<i64> {
    let next = times.after(after_ms)?;
    let pause_ms = times
        .after(next)
        .map_or(MAX_SPREAD_MS * 4, |following| following - next);
    let within = (pause_ms / 4).clamp(1, MAX_SPREAD_MS).unsigned_abs();
    let offset = xxh3_64(id.uuid().as_bytes()) % within;
    Some(next + i64::try_from(offset).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Utc};

    fn ms(text: &str) -> i64 {
        text.parse::<DateTime<Utc>>().unwrap().timestamp_millis()
    }

    #[test]
    fn polls_keep_their_rhythm_and_skip_what_was_missed() {
        let check = |now_ms, expected| assert_eq!(next_of_interval(1_000, 60, now_ms), expected);
        check(1_000, 1_060);
        check(1_059, 1_060);
        check(1_060, 1_120);
        check(5_000, 5_020);
        check(0, 1_060);
    }

    #[test]
    fn times_are_those_of_the_clock_of_the_zone() {
        let check = |expression: &str, zone: &str, after: &str, expected: &[&str]| {
            let times = CronTimes::parse(expression, zone).unwrap();
            let found = times.next(ms(after), expected.len());
            let expected: Vec<_> = expected.iter().map(|time| ms(time)).collect();
            assert_eq!(found, expected, "{expression}");
        };
        let after = "2026-11-22T12:00:00Z";
        let nine = ["2026-11-23T08:00:00Z", "2026-11-24T08:00:00Z"];
        check("0 9 * * *", "Europe/Berlin", after, &nine);
        let fives = ["2026-11-22T12:00:05Z", "2026-11-22T12:00:10Z"];
        check("*/5 * * * * *", "UTC", after, &fives);
        // The clock goes forward at 2 and back at 3: a time that is left out comes when the clock
        // has gone forward, one that comes twice comes once.
        let spring = ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"];
        check(
            "30 2 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            &spring,
        );
        let autumn = ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"];
        check(
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-24T12:00:00Z",
            &autumn,
        );
    }

    #[test]
    fn the_shortest_pause_of_an_expression_counts() {
        let now_ms = ms("2026-11-22T12:00:00Z");
        let check = |expression: &str, plan: Plan, expected: Result<(), &str>| {
            let schedule = Schedule::Cron {
                cron: expression.to_owned(),
                time_zone: "Europe/Berlin".to_owned(),
            };
            let found = check(&schedule, plan, now_ms);
            let found = found.map_err(|problem| problem.code);
            assert_eq!(found.is_ok(), expected.is_ok(), "{expression} {found:?}");
        };
        check("* * * * *", Plan::Pro, Ok(()));
        check("*/15 * * * *", Plan::Free, Ok(()));
        check("0,1 9 * * *", Plan::Free, Err("a minute"));
        check("*/10 * * * * *", Plan::Pro, Err("ten seconds"));
        check("* * * * * *", Plan::Enterprise, Ok(()));
        check("0 0 31 2 *", Plan::Enterprise, Err("never"));
        check("99 * * * *", Plan::Enterprise, Err("no minute"));
        check("0 0 1 1 *", Plan::Free, Ok(()));
        check("", Plan::Enterprise, Err("nothing"));
    }

    #[test]
    fn pipelines_of_one_moment_are_spread_and_keep_their_places() {
        let times = CronTimes::parse("* * * * *", "UTC").unwrap();
        let start = ms("2026-11-22T12:00:00Z");
        let mut offsets = std::collections::BTreeSet::new();
        for _ in 0..100 {
            let id = PipelineId::new();
            let first = spread_slot(&times, id, start).unwrap();
            let second = spread_slot(&times, id, first).unwrap();
            assert_eq!(second - first, 60_000);
            let offset = first - start - 60_000;
            assert!((0..15_000).contains(&offset), "{offset}");
            offsets.insert(offset);
        }
        assert!(offsets.len() > 90, "{}", offsets.len());
    }

    #[test]
    fn failures_and_servers_that_want_to_be_left_alone_put_polls_off() {
        let minute = Schedule::Every {
            interval_seconds: 60,
        };
        let check = |failures, not_before, expected| {
            let id = PipelineId::new();
            let found = next_after_failures(&minute, id, failures, 0, not_before);
            assert_eq!(found, expected);
        };
        check(1, 0, 2 * 60_000);
        check(9, 0, 15 * 60_000);
        check(1, 600_000, 600_000);
        let daily = Schedule::Cron {
            cron: "0 9 * * *".to_owned(),
            time_zone: "UTC".to_owned(),
        };
        let next = next_after_failures(&daily, PipelineId::new(), 5, 0, 0);
        assert!(
            (9 * 3_600_000..9 * 3_600_000 + 20_000).contains(&next),
            "{next}"
        );
    }
}
