//! Following a pipeline's records from a cursor on, without gap or duplicate, also while the database is
//! away for a moment.

use std::time::Duration;

use dash_shared::ids::PipelineId;

use super::live::LiveEvents;
use super::{ReadError, RecordStore, StoredRecord};
use crate::db::is_unavailable;

/// How long somebody who follows records waits before the database is asked again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl RecordStore {
    /// Follows a pipeline's records from the cursor `after_seq` on, or from now on without one.
    pub async fn follow_records(
        &self,
        pipeline_id: PipelineId,
        after_seq: Option<i64>,
    ) -> Result<FollowedRecords, ReadError> {
        // Listening begins before reading: what is committed in between is seen twice, not never.
        let events = self.follow_commits(pipeline_id);
        let last_seq = self.totals_of(pipeline_id).await?.last_seq;
        // A cursor from the future (a restored backup) must not silence the series.
        let position = after_seq.map_or(last_seq, |after| after.clamp(0, last_seq));
        Ok(FollowedRecords {
            store: self.clone(),
            pipeline_id,
            events,
            position,
            stored: last_seq,
            must_look: false,
        })
    }
}

/// A pipeline's records in the order of commits, from a cursor on, for as long as it is asked.
#[derive(Debug)]
pub struct FollowedRecords {
    store: RecordStore,
    pipeline_id: PipelineId,
    events: LiveEvents,
    /// The last record that was handed out.
    position: i64,
    /// The last record that is known to be in the database.
    stored: i64,
    /// Whether there may be more than that.
    must_look: bool,
}

impl FollowedRecords {
    /// The cursor: the last record that was handed out.
    pub const fn position(&self) -> i64 {
        self.position
    }

    /// The next records, at least one; waits for them, and for a database that is away.
    pub async fn next(&mut self) -> Result<Vec<StoredRecord>, ReadError> {
        loop {
            match self.try_next().await {
                Err(ReadError::Database(error)) if is_unavailable(&error) => {
                    tracing::warn!(%error, "records that are followed cannot be read");
                    tokio::time::sleep(RETRY_AFTER).await;
                }
                next => return next,
            }
        }
    }

    async fn try_next(&mut self) -> Result<Vec<StoredRecord>, ReadError> {
        loop {
            if self.must_look {
                self.stored = self.store.totals_of(self.pipeline_id).await?.last_seq;
                self.must_look = false;
            }
            if self.position < self.stored {
                let records = self.read_stored().await?;
                if let Some(last) = records.last() {
                    self.position = last.seq;
                    return Ok(records);
                }
                // What lay in between was deleted.
                self.position = self.stored;
            }
            match self.events.next().await {
                Some(committed) => {
                    let Some((first, last)) =
                        committed.records.first().zip(committed.records.last())
                    else {
                        continue;
                    };
                    if first.seq > self.position + 1 {
                        self.stored = last.seq;
                        continue;
                    }
                    let fresh: Vec<_> = committed
                        .records
                        .iter()
                        .filter(|record| record.seq > self.position)
                        .cloned()
                        .collect();
                    if !fresh.is_empty() {
                        self.position = last.seq;
                        self.stored = self.stored.max(last.seq);
                        return Ok(fresh);
                    }
                }
                None => self.must_look = true,
            }
        }
    }

    async fn read_stored(&self) -> Result<Vec<StoredRecord>, ReadError> {
        self.store
            .select_records(
                "seq > $2 AND seq <= $3 ORDER BY seq LIMIT 500",
                vec![
                    self.pipeline_id.uuid().into(),
                    self.position.into(),
                    self.stored.into(),
                ],
            )
            .await
    }
}
