//! How many records pass through a pipeline in a minute. The runs that the page keeps are far fewer
//! than a busy pipeline has in a minute, so the count stands apart from them: the API's figure when
//! the page loads, and from then on what the socket tells.

use dash_shared::rate::{Figure, Heard, LastMinute, Passed};
use leptos::prelude::*;

use super::queries::{RecentActivity, Run};
use crate::format::now_ms;

/// The rate of one pipeline.
#[derive(Clone, Copy, Debug)]
pub struct Rate(RwSignal<LastMinute>);

impl Rate {
    /// Of a pipeline of which nothing is known yet.
    pub fn unknown() -> Self {
        Self(RwSignal::new(LastMinute::default()))
    }

    /// Counts a run that ended just now.
    pub fn hear(self, run: &Run) {
        self.0.update(|minute| minute.hear(now_ms(), heard(run)));
    }

    /// Takes over the API's figure; `runs` are the newest that were heard of.
    pub fn load(self, recent: &RecentActivity, runs: &[Run]) {
        let figure = Figure {
            until_ms: recent.until.ms(),
            passed: Passed {
                received: recent.received.into(),
                stored: recent.stored.into(),
            },
        };
        let heard = runs.iter().map(heard);
        self.0.update(|minute| minute.load(now_ms(), figure, heard));
    }

    /// What passed during the minute before `now_ms`; tracked.
    pub fn last_minute(self, now_ms: i64) -> Passed {
        self.0.with(|minute| minute.at(now_ms))
    }
}

fn heard(run: &Run) -> Heard {
    Heard {
        finished_at_ms: run.finished_at.ms(),
        passed: Passed {
            received: run.received.into(),
            stored: run.stored.into(),
        },
    }
}
