//! What happens in a pipeline while somebody looks: its records and runs, as they were when the
//! page opened and as they come in. Shared by the tabs of the pipeline page.

use std::time::Duration;

use cynic::{QueryBuilder, SubscriptionBuilder};
use leptos::{prelude::*, task::spawn_local};
use serde_json::Value;

use super::queries::{
    Activity, ActivityQuery, LiveRecords, LiveRecordsVariables, LiveRuns, LiveRunsVariables,
    Pipeline, PipelineVariables, Record, Run, RunErrorCode,
};
use super::rate::Rate;
use crate::api::{self, ApiError};
use crate::format::whole;
use crate::live::{self, LiveState};

/// How many events the live table keeps.
const MAX_EVENTS: usize = 50;
/// How many runs are kept.
const MAX_RUNS: usize = 200;
/// How soon after the page opened its subscriptions have surely begun.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// One line of the live table.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What tells it apart from the others.
    pub key: String,
    /// When it came in, in milliseconds since 1970.
    pub at_ms: i64,
    /// What it is.
    pub what: What,
}

/// What a line of the live table tells.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A record was stored.
    Stored(Record),
    /// A record was not stored.
    Refused {
        /// Where and why: the step, the path and the message.
        step: i32,
        /// The path of the value.
        path: String,
        /// What is wrong with it.
        message: String,
        /// The record as it came in.
        received: Value,
    },
    /// A whole run failed.
    RunFailed {
        /// The kind of the failure.
        code: RunErrorCode,
        /// What happened.
        message: String,
    },
}

/// Records and runs of one pipeline.
#[derive(Clone, Copy, Debug)]
pub struct Feed {
    /// The newest events first.
    pub events: RwSignal<Vec<Event>>,
    /// The newest runs first.
    pub runs: RwSignal<Vec<Run>>,
    /// How many runs there were in all.
    pub run_count: RwSignal<i64>,
    /// Where the loaded history ends; none when all of it is here.
    pub runs_end: RwSignal<Option<String>>,
    /// Whether what was there before the page opened is loaded.
    pub is_loaded: RwSignal<bool>,
    /// Why it could not be loaded.
    pub failure: RwSignal<Option<ApiError>>,
    /// Whether new events wait instead of appearing.
    pub is_paused: RwSignal<bool>,
    /// The events that wait.
    pub waiting: RwSignal<Vec<Event>>,
    /// When the newest record came in.
    pub last_at_ms: RwSignal<Option<i64>>,
    /// The records that are stored, and their bytes.
    pub stored: RwSignal<(i64, f64)>,
    /// How much passes through in a minute.
    pub rate: Rate,
    id: StoredValue<cynic::Id>,
}

impl Feed {
    /// Follows a pipeline until the current owner goes; `on_run` hears of every run that ends.
    pub fn follow(pipeline: &Pipeline, on_run: impl Fn(&Run) + 'static) -> Self {
        let id = pipeline.id.clone();
        let feed = Self {
            events: RwSignal::new(Vec::new()),
            runs: RwSignal::new(Vec::new()),
            run_count: RwSignal::new(0),
            runs_end: RwSignal::new(None),
            is_loaded: RwSignal::new(false),
            failure: RwSignal::new(None),
            is_paused: RwSignal::new(false),
            waiting: RwSignal::new(Vec::new()),
            last_at_ms: RwSignal::new(None),
            stored: RwSignal::new((whole(pipeline.record_count), pipeline.stored_bytes)),
            rate: Rate::unknown(),
            id: StoredValue::new(id.clone()),
        };
        feed.subscribe(id, on_run);
        feed.reload();
        feed.reload_when_runs_may_be_missing();
        feed
    }

    /// Loads the newest records and runs; what is there already is not doubled.
    pub fn reload(self) {
        // The page may be gone by the time an act in it is done.
        let Some(id) = self.id.try_get_value() else {
            return;
        };
        spawn_local(async move {
            match api::run(ActivityQuery::build(PipelineVariables { id })).await {
                Ok(answer) => self.take_over(answer.pipeline),
                Err(error) => self.failure.set(Some(error)),
            }
        });
    }

    /// Lets the events that waited appear, and new ones with them.
    pub fn resume(self) {
        self.is_paused.set(false);
        let waiting = self.waiting.try_update(std::mem::take).unwrap_or_default();
        self.show(waiting);
    }

    /// Adds an older page of runs.
    pub fn append_runs(self, older: Vec<Run>, end: Option<String>) {
        self.runs.update(|runs| {
            for run in older {
                if !runs.iter().any(|known| known.id == run.id) {
                    runs.push(run);
                }
            }
        });
        self.runs_end.set(end);
    }

    fn take_over(self, activity: Activity) {
        let Some(was_loaded) = self.is_loaded.try_get_untracked() else {
            return;
        };
        let runs = activity.runs;
        let later = self.stored_after(&runs.nodes);
        self.stored.set((
            whole(activity.record_count) + later.0,
            activity.stored_bytes + later.1,
        ));
        // Before the loaded runs are added: the socket will tell those that the figure lacks.
        self.runs
            .with_untracked(|known| self.rate.load(&activity.last_minute, known));
        let mut events: Vec<Event> = activity.records.nodes.into_iter().map(stored).collect();
        events.extend(runs.nodes.iter().flat_map(troubles));
        let page_end = runs
            .page_info
            .has_next_page
            .then_some(runs.page_info.end_cursor)
            .flatten();
        if !was_loaded {
            self.runs_end.set(page_end);
        }
        self.run_count.set(i64::from(runs.total_count));
        for run in runs.nodes.into_iter().rev() {
            self.add_run(run);
        }
        let newest = events.iter().map(|event| event.at_ms).max();
        self.last_at_ms.update(|last| *last = (*last).max(newest));
        self.show(events);
        self.failure.set(None);
        self.is_loaded.set(true);
    }

    fn subscribe(self, id: cynic::Id, on_run: impl Fn(&Run) + 'static) {
        let pipeline_id = id.clone();
        live::subscribe(
            move |after| {
                LiveRecords::build(LiveRecordsVariables {
                    pipeline_id: pipeline_id.clone(),
                    after,
                })
            },
            |event: &LiveRecords| Some(event.pipeline_records.cursor.clone()),
            move |event| match event {
                Ok(event) => self.add_records(event.pipeline_records.records),
                // The pipeline was deleted, or may not be seen any more.
                Err(error) => self.failure.set(Some(error)),
            },
        );
        live::subscribe(
            move |_| {
                LiveRuns::build(LiveRunsVariables {
                    pipeline_id: id.clone(),
                })
            },
            |_: &LiveRuns| None,
            move |event| {
                if let Ok(event) = event {
                    let run = event.pipeline_runs;
                    on_run(&run);
                    self.run_count.update(|count| *count += 1);
                    self.stored.update(|(count, bytes)| {
                        *count += i64::from(run.stored);
                        *bytes += run.stored_bytes;
                    });
                    self.rate.hear(&run);
                    self.offer(troubles(&run));
                    self.add_run(run);
                }
            },
        );
    }

    /// What the runs stored that ended after the newest of these, and their bytes.
    fn stored_after(self, loaded: &[Run]) -> (i64, f64) {
        let Some(newest_ms) = loaded.first().map(|run| run.finished_at.ms()) else {
            return (0, 0.0);
        };
        self.runs.with_untracked(|runs| {
            runs.iter()
                .take_while(|run| run.finished_at.ms() >= newest_ms)
                .filter(|run| loaded.iter().all(|other| other.id != run.id))
                .fold((0, 0.0), |(count, bytes), run| {
                    (count + i64::from(run.stored), bytes + run.stored_bytes)
                })
        })
    }

    /// Runs have no cursor to resume from. They are loaded again after the socket was lost, and
    /// once soon after the page opened: one may have ended before the subscription began.
    fn reload_when_runs_may_be_missing(self) {
        let settled = set_timeout_with_handle(move || self.reload(), SETTLED_AFTER);
        on_cleanup(move || {
            if let Ok(settled) = settled {
                settled.clear();
            }
        });
        Effect::new(move |before: Option<LiveState>| {
            let state = live::state();
            if before == Some(LiveState::Reconnecting) && state == LiveState::Live {
                self.reload();
            }
            state
        });
    }

    fn add_records(self, records: Vec<Record>) {
        let skipped = records.len().saturating_sub(MAX_EVENTS);
        let events: Vec<Event> = records.into_iter().skip(skipped).map(stored).collect();
        let newest = events.iter().map(|event| event.at_ms).max();
        self.last_at_ms.update(|last| *last = (*last).max(newest));
        self.offer(events);
    }

    fn add_run(self, run: Run) {
        self.runs.update(|runs| {
            if !runs.iter().any(|known| known.id == run.id) {
                let at =
                    runs.partition_point(|known| known.finished_at.ms() > run.finished_at.ms());
                runs.insert(at, run);
                runs.truncate(MAX_RUNS);
            }
        });
    }

    fn offer(self, events: Vec<Event>) {
        if self.is_paused.get_untracked() {
            self.waiting.update(|waiting| {
                waiting.extend(events);
                let skipped = waiting.len().saturating_sub(MAX_EVENTS);
                waiting.drain(..skipped);
            });
        } else {
            self.show(events);
        }
    }

    fn show(self, events: Vec<Event>) {
        if events.is_empty() {
            return;
        }
        self.events.update(|shown| {
            for event in events {
                if !shown.iter().any(|known| known.key == event.key) {
                    let at = shown.partition_point(|known| known.at_ms > event.at_ms);
                    shown.insert(at, event);
                }
            }
            shown.truncate(MAX_EVENTS);
        });
    }
}

fn stored(record: Record) -> Event {
    Event {
        key: record.id.inner().to_owned(),
        at_ms: record.received_at.ms(),
        what: What::Stored(record),
    }
}

/// What a run has to tell besides the records it stored.
fn troubles(run: &Run) -> Vec<Event> {
    let at_ms = run.finished_at.ms();
    let id = run.id.inner();
    let failed = run.error.as_ref().map(|error| Event {
        key: id.to_owned(),
        at_ms,
        what: What::RunFailed {
            code: error.code,
            message: error.message.clone(),
        },
    });
    let refused = run
        .record_errors
        .iter()
        .enumerate()
        .map(|(index, error)| Event {
            key: format!("{id}.{index}"),
            at_ms,
            what: What::Refused {
                step: error.step,
                path: error.path.clone(),
                message: error.message.clone(),
                received: received(&error.received),
            },
        });
    failed.into_iter().chain(refused).collect()
}

/// A record as it came in; JSON as far as it is that.
pub fn received(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}
