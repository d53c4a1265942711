//! Looking at what a sink would send, and sending it once to try it.

use std::sync::Arc;

use dash_shared::InvalidCode;
use dash_shared::accounts::Role;
use dash_shared::ids::{DeliveryId, PipelineId, SinkId};
use dash_shared::sinks::{Matcher, SinkDefinition};
use dash_shared::timestamps::format_ms;
use serde_json::json;

use super::attempts::LoggedRequest;
use super::keys::{Keys, NewSecrets};
use super::rendering::{Envelope, Renderer};
use super::{Delivery, DeliveryState, Lane, Sink, Sinks, SinksError, signing};
use crate::accounts::TenantScope;
use crate::data::StoredRecord;

/// How many of the newest records are looked at for one that meets the filter.
const SAMPLE_RECORDS: u64 = 100;

/// A sink that is being made or changed.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The pipeline.
    pub pipeline_id: PipelineId,
    /// What it does.
    pub definition: SinkDefinition,
    /// Its secrets, as far as they were entered.
    pub secrets: NewSecrets,
    /// The sink that is being changed: its stored secrets are used.
    pub sink_id: Option<SinkId>,
}

/// Which record a preview is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleKind {
    /// The newest that meets the filter.
    Matching,
    /// The newest; none of the last ones meets the filter.
    Newest,
    /// An invented one: the pipeline has none yet.
    Invented,
}

/// What a sink would send.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The request, or the mail, without secrets; none when it cannot be written.
    pub request: Option<LoggedRequest>,
    /// Why it cannot be written.
    pub error: Option<String>,
    /// What stays empty, and why.
    pub notes: Vec<String>,
    /// The record.
    pub record: StoredRecord,
    /// Which one it is.
    pub sample: SampleKind,
}

impl Sinks {
    /// What a sink would send for a record of the pipeline. Nothing is sent.
    pub async fn preview(&self, scope: &TenantScope, draft: Draft) -> Result<Preview, SinksError> {
        let pipeline = self.pipelines.get(scope, draft.pipeline_id).await?;
        let mut problems = draft.definition.check(scope.plan());
        // What a plan does not have may be looked at.
        problems.retain(|problem| problem.code != InvalidCode::PlanRequired);
        if !problems.is_empty() {
            return Err(SinksError::Invalid(problems));
        }
        let keys = self.draft_keys(scope, &draft).await?;
        let (record, sample) = self.sample(pipeline.id, &draft.definition).await?;
        let renderer = Renderer::new(&draft.definition, keys, (pipeline.id, &pipeline.name));
        let now_ms = self.clock.now_ms();
        let envelope = Envelope {
            message_id: "msg_preview",
            created_at_ms: now_ms,
            sent_at_ms: now_ms,
            records: 1,
            is_test: false,
        };
        let records = [record];
        let written = renderer.and_then(|renderer| {
            let (message, notes) = renderer.render(&records, &envelope)?;
            Ok((LoggedRequest::of(&message, &renderer), notes))
        });
        let [record] = records;
        let (request, error, notes) = match written {
            Ok((request, notes)) => (Some(request), None, notes),
            Err(error) => (None, Some(error.0), Vec::new()),
        };
        Ok(Preview {
            request,
            error,
            notes,
            record,
            sample,
        })
    }

    /// The secrets of a draft, with something to look at in place of what is not there yet.
    async fn draft_keys(&self, scope: &TenantScope, draft: &Draft) -> Result<Keys, SinksError> {
        let stored = match draft.sink_id {
            Some(id) => {
                let sink = self.get(scope, id).await?;
                let keys = Keys::open(&self.secrets, id, sink.sealed.as_deref());
                keys.unwrap_or_default()
            }
            None => Keys::default(),
        };
        let mut keys = Keys {
            url: draft.secrets.url.clone().or(stored.url),
            signing: stored.signing,
            headers: Vec::new(),
        };
        let placeholder = |header: &super::NewHeader| (header.name.clone(), String::new());
        keys.headers = draft.secrets.headers.iter().map(placeholder).collect();
        keys.url
            .get_or_insert_with(|| String::from("https://hooks.example.com"));
        Ok(keys)
    }

    /// The newest record that a sink would send; else the newest; else an invented one.
    async fn sample(
        &self,
        pipeline_id: PipelineId,
        definition: &SinkDefinition,
    ) -> Result<(StoredRecord, SampleKind), SinksError> {
        let matcher = Matcher::compile(definition.filter.as_ref());
        let matcher = matcher.map_err(SinksError::Damaged)?;
        let records = self.store.sample(pipeline_id, SAMPLE_RECORDS).await?;
        let matching = records.iter().find(|record| {
            let met = matcher.is_met(&record.fields, record.received_at_ms);
            met.unwrap_or(false)
        });
        Ok(match (matching, records.first()) {
            (Some(record), _) => (record.clone(), SampleKind::Matching),
            (None, Some(record)) => (record.clone(), SampleKind::Newest),
            (None, None) => (self.invented(), SampleKind::Invented),
        })
    }

    fn invented(&self) -> StoredRecord {
        let now_ms = self.clock.now_ms();
        let record = json!({
            "id": 1, "name": "Example", "total": 42.5, "created_at": format_ms(now_ms),
        });
        let fields = record.as_object().cloned().unwrap_or_default();
        StoredRecord {
            seq: 0,
            time_ms: now_ms,
            received_at_ms: now_ms,
            fields: Arc::new(fields),
        }
    }

    /// Sends the newest record once, marked as a test. What comes of it is in the log.
    pub async fn send_test(
        &self,
        scope: &TenantScope,
        id: SinkId,
    ) -> Result<(Sink, Delivery), SinksError> {
        scope.require(Role::Editor)?;
        let sink = self.get(scope, id).await?;
        let problems = sink.definition.check(scope.plan());
        if !problems.is_empty() {
            return Err(SinksError::Invalid(problems));
        }
        let (record, _) = self.sample(sink.pipeline_id, &sink.definition).await?;
        let now_ms = self.clock.now_ms();
        let delivery = Delivery {
            id: DeliveryId::new(),
            sink_id: id,
            message_id: signing::new_message_id(),
            lane: Lane::Test,
            state: DeliveryState::Pending,
            first_seq: record.seq,
            last_seq: record.seq,
            records: 1,
            attempts: 0,
            tries: 0,
            next_attempt_at_ms: None,
            status: None,
            error: None,
            duration_ms: None,
            created_at_ms: now_ms,
            finished_at_ms: None,
        };
        let renderer = self.renderer(&sink).await?;
        let verdict = self.attempt(&renderer, &delivery, &[record]).await;
        let delivery = self.log_test(&delivery, &verdict).await?;
        Ok((sink, delivery))
    }
}
