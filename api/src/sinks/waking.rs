//! Waking sinks when records come: at once for those of this process and of others, and every few
//! seconds for whatever was not heard. A sink that waits for a time, because its target fails, is
//! left alone.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dash_shared::ids::{PipelineId, SinkId};
use sea_orm::{ConnectionTrait, Statement, Value};
use tokio_util::sync::CancellationToken;

use super::deliver::live_key;
use super::{Sinks, SinksError};
use crate::db::WriteTransaction;
use crate::jobs::SINK_KIND;

/// How often everything is looked at.
const SWEEP_PERIOD: Duration = Duration::from_secs(5);
/// How long commits are gathered after some were dealt with: a busy pipeline is not to wake its
/// sinks for each.
const GATHERING: Duration = Duration::from_millis(40);
/// How many pipelines one statement asks for.
const ASKED_PIPELINES: usize = 500;
/// How many sinks one transaction wakes.
const WOKEN_SINKS: usize = 200;

/// The sinks that a job of this process works on: they need no waking, they are called.
#[derive(Clone, Debug, Default)]
pub(super) struct RunningSinks(Arc<Mutex<HashMap<SinkId, bool>>>);

/// A sink that is worked on; it is not any more when this is dropped.
#[derive(Debug)]
pub(super) struct RunningSink {
    all: RunningSinks,
    id: SinkId,
}

impl RunningSinks {
    pub fn enter(&self, id: SinkId) -> RunningSink {
        self.lock().insert(id, false);
        RunningSink {
            all: self.clone(),
            id,
        }
    }

    /// Calls a sink, if it is worked on here.
    fn call(&self, id: SinkId) -> bool {
        let mut all = self.lock();
        let Some(called) = all.get_mut(&id) else {
            return false;
        };
        *called = true;
        true
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SinkId, bool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunningSink {
    /// Whether it was called since the last time it was asked.
    pub fn was_called(&self) -> bool {
        let mut all = self.all.lock();
        all.get_mut(&self.id).is_some_and(std::mem::take)
    }
}

impl Drop for RunningSink {
    fn drop(&mut self) {
        self.all.lock().remove(&self.id);
    }
}

/// A sink that has something to do.
struct Woken {
    id: SinkId,
    last_seq: i64,
}

impl Sinks {
    /// Wakes sinks when records come, until `stop`.
    pub async fn wake_for_records(self, stop: CancellationToken) {
        let mut arrivals = self.store.follow_arrivals();
        let mut sweep = tokio::time::interval(SWEEP_PERIOD);
        sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let woken = tokio::select! {
                () = stop.cancelled() => return,
                _ = sweep.tick() => self.wake_all().await,
                pipelines = arrivals.next() => match pipelines {
                    Some(pipelines) => self.wake(&pipelines).await,
                    None => self.wake_all().await,
                },
            };
            if let Err(error) = woken {
                tracing::warn!(%error, "sinks cannot be woken, trying again");
            }
            tokio::time::sleep(GATHERING).await;
        }
    }

    /// Wakes the sinks of pipelines that got records.
    async fn wake(&self, pipelines: &BTreeSet<PipelineId>) -> Result<(), SinksError> {
        let pipelines: Vec<Value> = pipelines.iter().map(|id| id.uuid().into()).collect();
        for ids in pipelines.chunks(ASKED_PIPELINES) {
            let places: Vec<_> = (1..=ids.len()).map(|place| format!("${place}")).collect();
            let of_these = format!("AND s.pipeline_id IN ({})", places.join(", "));
            let mut found = self.waiting(&of_these, ids.to_vec()).await?;
            found.retain(|woken| !self.running.call(woken.id));
            self.schedule_woken(&found).await?;
        }
        Ok(())
    }

    /// Wakes every sink that has something to do and that nobody works on.
    pub async fn wake_all(&self) -> Result<(), SinksError> {
        let mut found = self.waiting("", Vec::new()).await?;
        if found.is_empty() {
            return Ok(());
        }
        let due = self.due_jobs().await?;
        found.retain(|woken| !due.contains(&live_key(woken.id)));
        self.schedule_woken(&found).await
    }

    async fn waiting(&self, of: &str, values: Vec<Value>) -> Result<Vec<Woken>, SinksError> {
        let orm = self.db.orm();
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                format!(
                    "SELECT s.id, r.last_seq FROM sinks s \
                     JOIN series r ON r.pipeline_id = s.pipeline_id \
                     WHERE s.state = 'enabled' AND r.last_seq >= s.wake_seq {of}"
                ),
                values,
            ))
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Woken {
                    id: SinkId::from_uuid(row.try_get("", "id")?),
                    last_seq: row.try_get("", "last_seq")?,
                })
            })
            .collect()
    }

    /// The jobs of sinks that are due or run.
    async fn due_jobs(&self) -> Result<HashSet<String>, SinksError> {
        let orm = self.db.orm();
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                "SELECT unique_key FROM jobs WHERE kind = $1 AND run_at_ms <= $2",
                [SINK_KIND.into(), self.clock.now_ms().into()],
            ))
            .await?;
        let keys = rows.iter().map(|row| row.try_get("", "unique_key"));
        Ok(keys.collect::<Result<_, _>>()?)
    }

    async fn schedule_woken(&self, woken: &[Woken]) -> Result<(), SinksError> {
        for woken in woken.chunks(WOKEN_SINKS) {
            let transaction = self.db.begin_write().await?;
            for woken in woken {
                self.schedule(&transaction, woken.id, woken.last_seq)
                    .await?;
            }
            transaction.commit().await?;
            self.jobs.wake();
        }
        Ok(())
    }

    /// Makes a sink look for records now, when the transaction is committed. What it is woken for
    /// names the call: a job that ends at that moment is not taken for one that has heard it.
    pub(super) async fn schedule(
        &self,
        transaction: &WriteTransaction,
        id: SinkId,
        woken_for: i64,
    ) -> Result<(), SinksError> {
        let now_ms = self.clock.now_ms();
        let payload = woken_for.to_string();
        let key = live_key(id);
        Ok(self
            .jobs
            .schedule(&**transaction, SINK_KIND, &key, &payload, now_ms)
            .await?)
    }
}
