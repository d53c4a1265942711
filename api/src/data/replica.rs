//! Reading from a replica of PostgreSQL what it has: a pipeline is read there once the replica shows
//! everything that the primary had committed for it when it was asked. Whoever has just stored
//! something finds it, and what is deleted is gone. Everything else is read from the primary.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dash_shared::ids::PipelineId;
use sea_orm::{ConnAcquireErr, DbErr};
use tokio::time::{Instant, timeout};

use super::{ReadError, RecordStore, SeriesTotals};

/// How long the replica may take to say how far it is.
const ANSWER: Duration = Duration::from_millis(500);
/// How long nobody asks it after it failed.
const REST: Duration = Duration::from_secs(5);

/// What is known about the replica. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Replica {
    rests_until: Arc<Mutex<Option<Instant>>>,
}

/// Where to read a pipeline's records.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The store on the chosen database.
    pub store: RecordStore,
    /// The pipeline's totals there; what comes later may be there only in part.
    pub totals: SeriesTotals,
    /// Whether it is the replica. When that fails in the middle, the primary is asked instead.
    pub from_replica: bool,
}

impl Replica {
    fn rests(&self) -> bool {
        let rests_until = self.rests_until.lock();
        let rests_until = *rests_until.unwrap_or_else(PoisonError::into_inner);
        rests_until.is_some_and(|until| Instant::now() < until)
    }

    fn rest(&self) {
        let mut rests_until = self
            .rests_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *rests_until = Some(Instant::now() + REST);
    }
}

impl RecordStore {
    /// Where to read a pipeline's records now: the replica, if it has everything.
    pub async fn reading(&self, pipeline_id: PipelineId) -> Result<Reading, ReadError> {
        let primary = self.reading_primary(pipeline_id).await?;
        let Some(db) = self.db.at_replica() else {
            return Ok(primary);
        };
        if self.replica.rests() {
            count("resting");
            return Ok(primary);
        }
        let store = Self { db, ..self.clone() };
        let answer = timeout(ANSWER, store.totals_of(pipeline_id)).await;
        let late = |_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout).into();
        let there = match answer.map_err(late).flatten() {
            Ok(there) => there,
            Err(error) => {
                self.leave_replica(&error);
                return Ok(primary);
            }
        };
        if !shows(there, primary.totals) {
            count("behind");
            return Ok(primary);
        }
        count("replica");
        Ok(Reading {
            store,
            totals: there,
            from_replica: true,
        })
    }

    /// The primary, to read a pipeline's records there.
    pub async fn reading_primary(&self, pipeline_id: PipelineId) -> Result<Reading, ReadError> {
        Ok(Reading {
            store: self.clone(),
            totals: self.totals_of(pipeline_id).await?,
            from_replica: false,
        })
    }

    /// Notes that reading from the replica failed: it is left alone for a while.
    pub fn leave_replica(&self, error: &impl std::fmt::Display) {
        tracing::warn!(%error, "the replica fails, reading from the primary");
        self.replica.rest();
        count("failed");
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("dash_replica_reads_total", "outcome" => outcome).increment(1);
}

/// Whether a replica with the totals `there` shows all that the primary had with `here`: what was
/// stored is numbered, and what was deleted or changed counts up the revision.
const fn shows(there: SeriesTotals, here: SeriesTotals) -> bool {
    there.last_seq >= here.last_seq && there.revision >= here.revision
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_shows_what_was_stored_and_what_was_deleted_or_is_not_used() {
        let totals = |last_seq, revision| SeriesTotals {
            last_seq,
            revision,
            ..SeriesTotals::default()
        };
        for (there, here, expected) in [
            (totals(5, 0), totals(5, 0), true),
            (totals(7, 0), totals(5, 0), true),
            (totals(4, 0), totals(5, 0), false),
            // Some were deleted, and the replica does not know yet.
            (totals(5, 0), totals(5, 1), false),
            (totals(6, 1), totals(5, 1), true),
            (totals(6, 2), totals(5, 1), true),
            (totals(0, 0), totals(0, 0), true),
        ] {
            assert_eq!(shows(there, here), expected, "{there:?} {here:?}");
        }
    }
}
