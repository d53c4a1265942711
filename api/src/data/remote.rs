//! Commits of other processes, for those who follow here: what they stored is read from the database
//! once and told in order, between the commits of this process.

use std::time::Duration;

use dash_shared::ids::PipelineId;
use futures_util::StreamExt as _;
use futures_util::stream;
use sea_orm::{ConnectionTrait, Statement};
use tokio::sync::broadcast;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::live::{Committed, Gap, Hub};
use super::read::{OF_SERIES, RECORD_COLUMNS, placeholders, record_from_row};
use super::runs;
use super::{ReadError, RecordStore, StoredRecord};
use crate::db::Db;
use crate::events::{Event, Stored};

/// How many records are read at once, and told together.
const CHUNK_RECORDS: usize = 500;
/// The longest gap that is told; after a longer one the followers read for themselves.
const MAX_GAP_RECORDS: i64 = 20_000;
/// How many pipelines are read at once.
const PARALLEL_READS: usize = 4;
/// How many pipelines one statement asks for.
const ASKED_PIPELINES: usize = 500;
/// How long it waits when the database fails.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What is told about a commit to other processes.
pub(super) fn event(committed: &[Committed]) -> Event {
    let stored = committed.iter().map(|committed| Stored {
        pipeline_id: committed.pipeline_id,
        seqs: committed
            .records
            .first()
            .zip(committed.records.last())
            .map(|(first, last)| (first.seq, last.seq)),
        runs: committed.runs.iter().map(|run| run.id).collect(),
    });
    Event::Stored(stored.collect())
}

impl RecordStore {
    /// Tells those who follow, here and in other processes, that records were deleted.
    pub(super) async fn tell_deleted(&self, pipeline_id: PipelineId) -> Result<(), ReadError> {
        self.hub.look_again(pipeline_id);
        let event = Event::RecordsDeleted(pipeline_id);
        Ok(self.events.announce(self.db.orm(), &event).await?)
    }
}

/// Reads what others stored and tells it.
pub(super) struct Remote {
    pub(super) db: Db,
    pub(super) hub: Hub,
}

impl Remote {
    /// Goes on until `stop`, or until nobody can store or tell anything any more.
    pub(super) async fn run(self, mut events: broadcast::Receiver<Event>, stop: CancellationToken) {
        let mut missed = false;
        loop {
            let mut failed = !self.fill_gaps().await;
            if missed {
                missed = !self.reach_all().await;
                failed |= missed;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.hub.gap() => {}
                () = sleep(RETRY_AFTER), if failed => {}
                event = events.recv() => match event {
                    Ok(Event::Stored(stored)) => {
                        for stored in stored {
                            self.hub.announce(stored);
                        }
                    }
                    Ok(Event::MuchStored) => {
                        missed = true;
                        self.hub.arrive_anywhere();
                    }
                    Ok(Event::RecordsDeleted(id)) => self.hub.look_again(id),
                    Ok(Event::Missed) | Err(broadcast::error::RecvError::Lagged(_)) => {
                        self.hub.look_again_everywhere();
                    }
                    Ok(_) => {}
                    Err(broadcast::error::RecvError::Closed) => return,
                }
            }
        }
    }

    /// Looks how far all pipelines have come that are followed; false when the database failed.
    async fn reach_all(&self) -> bool {
        for ids in self.hub.followed().chunks(ASKED_PIPELINES) {
            match self.last_seqs(ids).await {
                Ok(found) => found
                    .into_iter()
                    .for_each(|(id, last)| self.hub.reach(id, last)),
                Err(error) => {
                    tracing::warn!(%error, "what other processes stored cannot be looked up");
                    return false;
                }
            }
        }
        true
    }

    async fn last_seqs(&self, ids: &[PipelineId]) -> Result<Vec<(PipelineId, i64)>, ReadError> {
        let orm = self.db.orm();
        let places = placeholders(1, ids.len());
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                format!("SELECT pipeline_id, last_seq FROM series WHERE pipeline_id IN ({places})"),
                ids.iter().map(|id| id.uuid().into()),
            ))
            .await?;
        rows.iter()
            .map(|row| {
                let id = PipelineId::from_uuid(row.try_get("", "pipeline_id")?);
                Ok((id, row.try_get("", "last_seq")?))
            })
            .collect()
    }

    /// Reads and tells a chunk of each gap until there is none; false when the database failed.
    async fn fill_gaps(&self) -> bool {
        loop {
            let gaps = self.hub.gaps();
            if gaps.is_empty() {
                return true;
            }
            let filled = stream::iter(gaps)
                .map(|gap| self.fill(gap))
                .buffer_unordered(PARALLEL_READS);
            if !filled.all(async |filled| filled).await {
                return false;
            }
        }
    }

    async fn fill(&self, gap: Gap) -> bool {
        if gap.up_to_seq - gap.after_seq > MAX_GAP_RECORDS {
            self.hub.skip(&gap);
            return true;
        }
        match self.read(&gap).await {
            Ok(read) => {
                let last = read.records.last().map(|record| record.seq);
                let up_to_seq = last
                    .filter(|_| read.records.len() == CHUNK_RECORDS)
                    .unwrap_or(gap.up_to_seq);
                self.hub.fill(&gap, read, up_to_seq);
                true
            }
            Err(error) => {
                // The runs are found in the history; the records are read again.
                tracing::warn!(%error, "what other processes stored cannot be read");
                false
            }
        }
    }

    async fn read(&self, gap: &Gap) -> Result<Committed, ReadError> {
        let orm = self.db.orm();
        let mut records: Vec<StoredRecord> = Vec::new();
        if gap.after_seq < gap.up_to_seq {
            let rows = orm
                .query_all_raw(Statement::from_sql_and_values(
                    orm.get_database_backend(),
                    format!(
                        "SELECT {RECORD_COLUMNS} FROM records WHERE {OF_SERIES} \
                         AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT {CHUNK_RECORDS}"
                    ),
                    [
                        gap.pipeline_id.uuid().into(),
                        gap.after_seq.into(),
                        gap.up_to_seq.into(),
                    ],
                ))
                .await?;
            records = rows.iter().map(record_from_row).collect::<Result<_, _>>()?;
        }
        Ok(Committed {
            pipeline_id: gap.pipeline_id,
            runs: runs::find_all(orm, &gap.runs).await?.into(),
            records: records.into(),
            // Only those who count what this process stores ask for it.
            revision: 0,
        })
    }
}
