//! Pipelines that read other pipelines: who may read whom, and reading as soon as something comes.

use std::collections::BTreeSet;
use std::time::Duration;

use dash_shared::ids::PipelineId;
use dash_shared::sources::{MAX_PIPELINE_DEPTH, Source};
use dash_shared::{Invalid, InvalidCode};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tokio_util::sync::CancellationToken;

use super::{Pipeline, PipelineState, Pipelines, PipelinesError};
use crate::accounts::TenantScope;
use crate::data::Relay;
use crate::db::WriteTransaction;
use crate::engine::Relayed;
use crate::jobs::{Job, Next};

pub(super) const RELAY: &str = "relay";
/// How often everything is looked at, for whatever was not heard.
const SWEEP_PERIOD: Duration = Duration::from_secs(5);
/// How long commits are gathered after some were dealt with.
const GATHERING: Duration = Duration::from_millis(40);
/// How many pieces are read before other jobs get their turn.
const PIECES_AT_ONCE: usize = 40;

impl Pipelines {
    /// Checks that a pipeline may read another one: it is the team's, does not read this one, not
    /// even by way of others, and the way is not too long. Whoever asks holds the team's lock, so
    /// that two changes cannot make a circle together.
    pub(super) async fn check_upstream(
        &self,
        scope: &TenantScope,
        transaction: &WriteTransaction,
        id: PipelineId,
        upstream_id: PipelineId,
    ) -> Result<Result<(), Invalid>, PipelinesError> {
        let at = "source.pipeline.pipelineId";
        let wrong = |message: String| Ok(Err(Invalid::new(at, InvalidCode::Invalid, message)));
        lock_team(transaction, scope).await?;
        if self.existing(scope, &[upstream_id]).await?.is_empty() {
            return wrong("There is no such pipeline in this team.".to_owned());
        }
        let too_long = || {
            wrong(format!(
                "Pipelines read each other over at most {MAX_PIPELINE_DEPTH} stations."
            ))
        };
        let (mut at_id, mut above) = (upstream_id, 1);
        loop {
            if at_id == id {
                return wrong("These pipelines would read each other in a circle.".to_owned());
            }
            if above > MAX_PIPELINE_DEPTH {
                return too_long();
            }
            match self.store.relay(at_id).await? {
                Some(relay) => (at_id, above) = (relay.upstream_id, above + 1),
                None => break,
            }
        }
        // Those that read this one are behind it.
        let mut level = vec![id];
        for below in 0.. {
            if above + below > MAX_PIPELINE_DEPTH {
                return too_long();
            }
            let readers = self.store.readers_of(&level).await?;
            level = readers.iter().map(|relay| relay.pipeline_id).collect();
            if level.is_empty() {
                break;
            }
        }
        Ok(Ok(()))
    }

    /// Makes a pipeline read its upstream from now on, from the first record if it is new to it and
    /// wants to.
    pub(super) async fn start_relay(
        &self,
        transaction: &WriteTransaction,
        pipeline: &Pipeline,
    ) -> Result<(), PipelinesError> {
        let Source::Pipeline(source) = &pipeline.source else {
            return Ok(());
        };
        let last_seq = self.store.totals_of(source.pipeline_id).await?.last_seq;
        let relay = Relay {
            pipeline_id: pipeline.id,
            upstream_id: source.pipeline_id,
            position: if source.from_beginning { 0 } else { last_seq },
        };
        self.store.begin_relay(&**transaction, relay).await?;
        self.schedule_relay(transaction, pipeline.id, last_seq)
            .await
    }

    /// Refuses what would take the upstream of other pipelines away.
    pub(super) async fn check_no_readers(&self, id: PipelineId) -> Result<(), PipelinesError> {
        let mut names = Vec::new();
        for relay in self.store.readers_of(&[id]).await? {
            if let Some(name) = self.name_of(relay.pipeline_id).await? {
                names.push(format!("“{name}”"));
            }
        }
        if names.is_empty() {
            return Ok(());
        }
        let verb = if names.len() == 1 { "reads" } else { "read" };
        let message = format!(
            "{} {verb} from this pipeline. Delete what reads from it first.",
            names.join(", ")
        );
        let problem = Invalid::new("id", InvalidCode::Invalid, message);
        Err(PipelinesError::Invalid(vec![problem]))
    }

    /// Wakes pipelines when those that they read get records, until `stop`.
    pub async fn wake_readers(self, stop: CancellationToken) {
        let mut arrivals = self.store.follow_arrivals();
        let mut sweep = tokio::time::interval(SWEEP_PERIOD);
        sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let woken = tokio::select! {
                () = stop.cancelled() => return,
                _ = sweep.tick() => self.wake_all_readers().await,
                pipelines = arrivals.next() => match pipelines {
                    Some(pipelines) => self.wake_readers_of(&pipelines).await,
                    None => self.wake_all_readers().await,
                },
            };
            if let Err(error) = woken {
                tracing::warn!(%error, "pipelines that read others cannot be woken, trying again");
            }
            tokio::time::sleep(GATHERING).await;
        }
    }

    /// Wakes every pipeline that has not read everything.
    pub async fn wake_all_readers(&self) -> Result<(), PipelinesError> {
        let waiting = self.store.waiting_relays(None).await?;
        self.schedule_relays(waiting).await
    }

    async fn wake_readers_of(
        &self,
        upstreams: &BTreeSet<PipelineId>,
    ) -> Result<(), PipelinesError> {
        let upstreams: Vec<_> = upstreams.iter().copied().collect();
        for some in upstreams.chunks(500) {
            let waiting = self.store.waiting_relays(Some(some)).await?;
            self.schedule_relays(waiting).await?;
        }
        Ok(())
    }

    async fn schedule_relays(&self, waiting: Vec<(Relay, i64)>) -> Result<(), PipelinesError> {
        for some in waiting.chunks(200) {
            let transaction = self.db.begin_write().await?;
            for (relay, last_seq) in some {
                self.schedule_relay(&transaction, relay.pipeline_id, *last_seq)
                    .await?;
            }
            transaction.commit().await?;
            self.jobs.wake();
        }
        Ok(())
    }

    /// What it is woken for names the call: a job that ends at that moment has not heard it.
    async fn schedule_relay(
        &self,
        transaction: &WriteTransaction,
        id: PipelineId,
        last_seq: i64,
    ) -> Result<(), PipelinesError> {
        let key = format!("{RELAY}:{id}");
        let now_ms = self.clock.now_ms();
        self.jobs
            .schedule(&**transaction, RELAY, &key, &last_seq.to_string(), now_ms)
            .await?;
        Ok(())
    }

    pub(super) async fn run_relay(
        &self,
        job: &Job,
        id: PipelineId,
    ) -> Result<Next, PipelinesError> {
        let Some(pipeline) = self.load(id).await? else {
            return Ok(Next::Done);
        };
        if pipeline.state != PipelineState::Running {
            return Ok(Next::Done);
        }
        let definition = self.definition(&pipeline)?;
        for _ in 0..PIECES_AT_ONCE {
            match self.engine.relay(&definition).await {
                Ok(Relayed::More) => {}
                Ok(Relayed::All) => return Ok(Next::Done),
                Err(error) => return Ok(Next::Retry(error.to_string())),
            }
        }
        Ok(Next::At {
            run_at_ms: self.clock.now_ms().max(job.run_at_ms + 1),
            payload: job.payload.clone(),
        })
    }
}

/// One change of who reads whom at a time. SQLite has one writer anyway.
async fn lock_team(
    transaction: &WriteTransaction,
    scope: &TenantScope,
) -> Result<(), PipelinesError> {
    if transaction.get_database_backend() == DbBackend::Postgres {
        transaction
            .execute_raw(Statement::from_sql_and_values(
                DbBackend::Postgres,
                "SELECT id FROM teams WHERE id = $1 FOR UPDATE",
                [scope.team_id().uuid().into()],
            ))
            .await?;
    }
    Ok(())
}
