//! The records that the editor looks at: the newest that the pipeline received, a fresh answer of
//! the polled API, or what somebody pastes.

use cynic::QueryBuilder;
use leptos::{prelude::*, task::spawn_local};
use serde_json::Value;

use super::desk::Desk;
use crate::api::{self, Json, schema};
use crate::components::toast::{Toasts, use_toasts};
use crate::pages::pipeline::Store;
use crate::pages::pipeline::queries::{
    Pipeline, PipelineVariables, PipelineVariablesFields, Source,
};
use crate::pages::pipeline::source_test::fetch_records;

/// How many records are looked at.
pub const MAX_SAMPLE: usize = 100;

/// The newest events of a pipeline.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Pipeline")]
pub struct Received {
    /// The newest first.
    #[arguments(first: 100)]
    pub received: Vec<ReceivedEvent>,
}

/// What came in.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct ReceivedEvent {
    /// It.
    pub value: Json,
}

/// Asks for the newest events of a pipeline.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "PipelineVariables")]
pub struct ReceivedQuery {
    /// Whose.
    #[arguments(id: $id)]
    pub pipeline: Received,
}

/// Where the records come from.
#[derive(Clone, Copy)]
pub struct Sample {
    records: RwSignal<Vec<Value>>,
    pipeline: RwSignal<Pipeline>,
    toasts: Toasts,
    /// Whether records are on their way.
    pub busy: RwSignal<bool>,
    /// Why there are none.
    pub failure: RwSignal<Option<String>>,
}

impl Sample {
    /// The records of a pipeline, which are asked for at once. When there are none yet, they are
    /// asked for again as soon as something comes in.
    pub fn of(desk: Desk, store: Store) -> Self {
        let sample = Self {
            records: desk.sample,
            pipeline: store.pipeline,
            toasts: use_toasts(),
            busy: RwSignal::new(false),
            failure: RwSignal::new(None),
        };
        Effect::new(move || {
            store.feed.events.track();
            if desk.sample.with_untracked(Vec::is_empty) && !sample.busy.get_untracked() {
                sample.load();
            }
        });
        sample
    }

    /// Asks for the newest records again.
    pub fn load(self) {
        let id = self.pipeline.with_untracked(|pipeline| pipeline.id.clone());
        self.busy.set(true);
        spawn_local(async move {
            let answer = api::run(ReceivedQuery::build(PipelineVariables { id })).await;
            if self.busy.try_set(false).is_some() {
                return;
            }
            match answer {
                Ok(answer) => {
                    let newest_first = answer.pipeline.received.into_iter();
                    self.take(newest_first.rev().map(|event| event.value.0).collect());
                }
                Err(error) => self.failure.set(Some(error.message)),
            }
        });
    }

    /// Takes other records, the oldest first.
    pub fn take(self, mut records: Vec<Value>) {
        records.truncate(MAX_SAMPLE);
        self.failure.set(None);
        if self.records.with_untracked(|known| *known != records) {
            self.records.set(records);
        }
    }

    /// Adds a record, as the newest.
    pub fn add(self, record: Value) {
        self.failure.set(None);
        self.records.update(|sample| {
            sample.push(record);
            if sample.len() > MAX_SAMPLE {
                sample.remove(0);
            }
        });
    }

    /// Whether the source can be asked for records; tracked.
    pub fn can_fetch(self) -> bool {
        let source = |source: &Source| matches!(source, Source::HttpPollingSource(_));
        self.pipeline.with(|pipeline| source(&pipeline.source))
    }

    /// Asks the source for records, without storing them.
    pub fn fetch(self) {
        let id = self.pipeline.with_untracked(|pipeline| pipeline.id.clone());
        self.busy.set(true);
        spawn_local(async move {
            let fetched = fetch_records(id).await;
            if self.busy.try_set(false).is_some() {
                return;
            }
            match fetched {
                Ok(records) => self.take(records),
                Err(message) => self.toasts.error(message),
            }
        });
    }
}
