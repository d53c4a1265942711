//! One commit: what appends have to be stored becomes runs and records, in one transaction and with
//! a number of statements that does not grow with the number of appends.
//!
//! What is stored already is left out first, by the keys of batches and of records; after that all
//! counts are known, and runs, totals, ledger and numbers are exact.

use std::collections::{BTreeMap, HashMap, HashSet};

use dash_shared::ids::{PipelineId, RunId};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::StoredRecord;
use super::bulk::{Batch, Insert, Kind};
use super::failures::{self, MAX_KEPT_PER_RUN, NewFailure};
use super::live::Committed;
use super::marks::{self, Mark};
use super::received::{self, NewBatch, ReceivedBatch};
use super::record_keys::{self, NewKey, RecordKey};
use super::relays::{self, NewPosition};
use super::remote;
use super::runs::{self, Counts, MAX_RECORD_ERRORS, NewRun, Run};
use super::states::{self, NewState};
use super::usage;
use super::write::{Append, Appended, NewRecord, WriteError};
use crate::db::{Db, Engine};
use crate::events::Events;

pub(super) const RECORDS: Insert<5> = Insert {
    table: "records",
    columns: [
        ("pipeline_id", Kind::Uuid),
        ("seq", Kind::Number),
        ("time_ms", Kind::Number),
        ("received_at_ms", Kind::Number),
        ("fields", Kind::Text),
    ],
    then: "",
};

/// Taking the numbers locks the series until the commit: numbers follow the order of commits.
const SERIES: Insert<5> = Insert {
    table: "series",
    columns: [
        ("pipeline_id", Kind::Uuid),
        ("last_seq", Kind::Number),
        ("record_count", Kind::Number),
        ("stored_bytes", Kind::Number),
        ("last_received_at_ms", Kind::Number),
    ],
    then: "ON CONFLICT (pipeline_id) DO UPDATE SET \
           last_seq = series.last_seq + excluded.last_seq, \
           record_count = series.record_count + excluded.record_count, \
           stored_bytes = series.stored_bytes + excluded.stored_bytes, \
           last_received_at_ms = excluded.last_received_at_ms \
           RETURNING pipeline_id, last_seq, revision, storage_id",
};

/// Locks the series of pipelines, those that have none yet too.
const LOCK: Insert<4> = Insert {
    table: "series",
    columns: [
        ("pipeline_id", Kind::Uuid),
        ("last_seq", Kind::Number),
        ("record_count", Kind::Number),
        ("stored_bytes", Kind::Number),
    ],
    then: "ON CONFLICT (pipeline_id) DO UPDATE SET last_seq = series.last_seq \
           RETURNING pipeline_id, last_seq, revision, storage_id",
};

/// Why a transaction is not committed, or not known to be.
pub(super) struct CommitFailure {
    pub(super) error: DbErr,
    pub(super) in_doubt: bool,
}

impl From<DbErr> for CommitFailure {
    fn from(error: DbErr) -> Self {
        Self {
            error,
            in_doubt: false,
        }
    }
}

/// What a commit stored.
pub(super) struct Outcome {
    /// For those who follow, one for each pipeline.
    pub(super) committed: Vec<Committed>,
    /// For those who append, in their order.
    pub(super) appended: Vec<Result<Appended, WriteError>>,
}

/// Stores all these appends, or nothing.
pub(super) async fn commit(
    db: &Db,
    events: &Events,
    appends: Vec<Append>,
) -> Result<Outcome, CommitFailure> {
    let mut appended = vec![Ok(Appended::default()); appends.len()];
    let mut groups = group(appends);
    let transaction = db.begin_write().await?;
    if groups.iter().any(Group::has_keys) {
        if db.engine() == Engine::Postgres {
            lock(&*transaction, &groups).await?;
        }
        leave_out_batches(&*transaction, &mut groups).await?;
        leave_out_records(&*transaction, &mut groups).await?;
        advance_states(&*transaction, &mut groups).await?;
    }
    for group in &mut groups {
        group.tell(&mut appended);
    }
    groups.retain(|group| !group.repeated && !group.stale);
    let committed = store(&*transaction, groups).await?;
    if !committed.is_empty() {
        events
            .announce(&*transaction, &remote::event(&committed))
            .await?;
    }
    transaction.commit().await.map_err(|error| CommitFailure {
        error,
        in_doubt: true,
    })?;
    Ok(Outcome {
        committed,
        appended,
    })
}

/// Appends that become one run: all those to one pipeline that have no key, or a single one.
struct Group {
    id: RunId,
    run: NewRun,
    records: Vec<NewRecord>,
    mark: Option<Mark>,
    members: Vec<Member>,
    failures: Vec<NewFailure>,
    state: Option<NewState>,
    position: Option<NewPosition>,
    /// Whether a run with this key is there already.
    repeated: bool,
    /// Whether its state was made from another one than the one that is there.
    stale: bool,
}

/// An append in a group.
struct Member {
    /// Its place among the appends.
    place: usize,
    /// How many of the group's records are its.
    records: usize,
    /// How many more were stored before.
    duplicates: usize,
    received: Option<ReceivedBatch>,
}

fn group(appends: Vec<Append>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut mergeable: BTreeMap<PipelineId, usize> = BTreeMap::new();
    for (place, mut append) in appends.into_iter().enumerate() {
        let member = Member {
            place,
            records: append.records.len(),
            duplicates: 0,
            received: append.received.take(),
        };
        if append.run.batch_key.is_none() && append.state.is_none() && append.position.is_none() {
            if let Some(group) = mergeable
                .get(&append.run.pipeline_id)
                .and_then(|index| groups.get_mut(*index))
            {
                group.merge(append);
                group.members.push(member);
                continue;
            }
            mergeable.insert(append.run.pipeline_id, groups.len());
        }
        groups.push(Group {
            id: RunId::new(),
            run: append.run,
            records: append.records,
            mark: append.mark,
            members: vec![member],
            failures: append.failures,
            state: append.state,
            position: append.position,
            repeated: false,
            stale: false,
        });
    }
    // The rows of `series` are locked in one order everywhere, so that two processes that store to
    // the same pipelines cannot wait for each other. The sort is stable.
    groups.sort_by_key(|group| group.run.pipeline_id);
    groups
}

impl Group {
    fn merge(&mut self, append: Append) {
        self.records.extend(append.records);
        let kept = MAX_KEPT_PER_RUN.saturating_sub(self.failures.len());
        self.failures.extend(append.failures.into_iter().take(kept));
        self.mark = append.mark.or(self.mark.take());
        let (run, other) = (&mut self.run, append.run);
        run.started_at_ms = run.started_at_ms.min(other.started_at_ms);
        run.finished_at_ms = run.finished_at_ms.max(other.finished_at_ms);
        run.received += other.received;
        run.dropped += other.dropped;
        run.held += other.held;
        run.failed += other.failed;
        let room = MAX_RECORD_ERRORS.saturating_sub(run.record_errors.len());
        run.record_errors
            .extend(other.record_errors.into_iter().take(room));
    }

    /// Whether something has to be looked for before it is stored.
    fn has_keys(&self) -> bool {
        self.run.batch_key.is_some()
            || self.state.is_some()
            || self.position.is_some()
            || self.records.iter().any(|record| record.key.is_some())
    }

    /// Leaves out the records whose keys are among these, and adds the keys of the others.
    fn leave_out(&mut self, known: &mut HashSet<RecordKey>) {
        let mut records = std::mem::take(&mut self.records).into_iter();
        for member in &mut self.members {
            let before = self.records.len();
            let fresh = records
                .by_ref()
                .take(member.records)
                .filter(|record| record.key.is_none_or(|key| known.insert(key)));
            self.records.extend(fresh);
            let kept = self.records.len() - before;
            member.duplicates += member.records - kept;
            member.records = kept;
        }
    }

    /// Notes what became of the appends.
    fn tell(&self, appended: &mut [Result<Appended, WriteError>]) {
        for member in &self.members {
            let Some(appended) = appended.get_mut(member.place) else {
                continue;
            };
            *appended = if self.repeated {
                Ok(Appended {
                    run_id: None,
                    stored: 0,
                    duplicates: member.records,
                })
            } else if self.stale {
                Err(WriteError::Stale)
            } else {
                Ok(Appended {
                    run_id: Some(self.id),
                    stored: member.records,
                    duplicates: member.duplicates,
                })
            };
        }
    }

    /// The run, and its key.
    fn into_run(self) -> (Run, Option<String>, Vec<NewRecord>) {
        let bytes: usize = self.records.iter().map(|record| record.json.len()).sum();
        let duplicates: usize = self.members.iter().map(|member| member.duplicates).sum();
        let key = self.run.batch_key.clone();
        let counts = Counts {
            stored: to_i64(self.records.len()),
            stored_bytes: to_i64(bytes),
            duplicates: to_i64(duplicates),
        };
        (Run::from_new(self.id, self.run, counts), key, self.records)
    }
}

fn to_i64(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Keeps other processes from storing to these pipelines before this transaction ends: what is not
/// stored now stays so, and is looked for only once. SQLite has one writer at a time.
async fn lock(connection: &impl ConnectionTrait, groups: &[Group]) -> Result<(), DbErr> {
    let rows =
        pipelines(groups).map(|id| [id.uuid().into(), 0_i64.into(), 0_i64.into(), 0_i64.into()]);
    LOCK.rows(connection, rows.collect()).await?;
    Ok(())
}

/// The pipelines of groups that are sorted by them.
fn pipelines(groups: &[Group]) -> impl Iterator<Item = PipelineId> {
    let same = |a: &Group, b: &Group| a.run.pipeline_id == b.run.pipeline_id;
    let lots = groups.chunk_by(same);
    lots.filter_map(|lot| lot.first().map(|group| group.run.pipeline_id))
}

fn lots(groups: &mut [Group]) -> impl Iterator<Item = (PipelineId, &mut [Group])> {
    let same = |a: &Group, b: &Group| a.run.pipeline_id == b.run.pipeline_id;
    groups
        .chunk_by_mut(same)
        .filter_map(|lot| Some((lot.first()?.run.pipeline_id, lot)))
}

/// Marks the groups whose runs are there already, in the database or before them in this commit.
async fn leave_out_batches(
    connection: &impl ConnectionTrait,
    groups: &mut [Group],
) -> Result<(), DbErr> {
    for (pipeline_id, lot) in lots(groups) {
        let keys: Vec<&str> = lot
            .iter()
            .filter_map(|group| group.run.batch_key.as_deref())
            .collect();
        let mut known = runs::known_keys(connection, pipeline_id, &keys).await?;
        for group in lot {
            if let Some(key) = &group.run.batch_key {
                group.repeated = !known.insert(key.clone());
            }
        }
    }
    Ok(())
}

/// Leaves out the records that are there already, in the database or before them in this commit.
async fn leave_out_records(
    connection: &impl ConnectionTrait,
    groups: &mut [Group],
) -> Result<(), DbErr> {
    for (pipeline_id, lot) in lots(groups) {
        let fresh = || lot.iter().filter(|group| !group.repeated);
        let keys: Vec<RecordKey> = fresh()
            .flat_map(|group| group.records.iter().filter_map(|record| record.key))
            .collect();
        if keys.is_empty() {
            continue;
        }
        let mut known = record_keys::known(connection, pipeline_id, &keys).await?;
        for group in lot.iter_mut().filter(|group| !group.repeated) {
            group.leave_out(&mut known);
        }
    }
    Ok(())
}

/// Stores what transforms remember and how far others were read, and marks the groups that began
/// with something else than what is there.
async fn advance_states(
    connection: &impl ConnectionTrait,
    groups: &mut [Group],
) -> Result<(), DbErr> {
    for group in groups.iter_mut().filter(|group| !group.repeated) {
        if let Some(state) = &group.state {
            let pipeline_id = group.run.pipeline_id;
            group.stale = !states::advance(connection, pipeline_id, state).await?;
        }
        if let Some(position) = &group.position
            && !group.stale
        {
            group.stale = !relays::advance(connection, position).await?;
        }
    }
    Ok(())
}

/// What a commit stores to one pipeline.
#[derive(Default)]
struct Lot {
    runs: Vec<Run>,
    records: Vec<NewRecord>,
    received: Vec<OfRecords>,
}

/// What came in, and which of a lot's records were made of it.
struct OfRecords {
    /// How many records of the lot are before them.
    before: i64,
    records: i64,
    batch: ReceivedBatch,
}

impl Lot {
    fn stored(&self) -> i64 {
        to_i64(self.records.len())
    }

    /// Takes over what the members of a group received; their records are added after it.
    fn take_received(&mut self, members: &mut [Member]) {
        let mut before = self.stored();
        for member in members {
            let records = to_i64(member.records);
            self.received
                .extend(member.received.take().map(|batch| OfRecords {
                    before,
                    records,
                    batch,
                }));
            before += records;
        }
    }
}

async fn store(
    connection: &impl ConnectionTrait,
    groups: Vec<Group>,
) -> Result<Vec<Committed>, DbErr> {
    let mut lots: BTreeMap<PipelineId, Lot> = BTreeMap::new();
    let mut runs = Vec::with_capacity(groups.len());
    let mut batch = Batch::new(connection.get_database_backend());
    let mut new_marks = BTreeMap::new();
    for mut group in groups {
        let pipeline_id = group.run.pipeline_id;
        if let Some(mark) = group.mark.take() {
            new_marks.insert(pipeline_id, (mark, group.run.finished_at_ms));
        }
        failures::keep(
            &mut batch,
            pipeline_id,
            group.id,
            std::mem::take(&mut group.failures),
        );
        let lot = lots.entry(pipeline_id).or_default();
        lot.take_received(&mut group.members);
        let (run, key, records) = group.into_run();
        lot.records.extend(records);
        lot.runs.push(run.clone());
        runs.push((run, key));
    }
    let numbers = take_numbers(connection, &lots).await?;
    runs::insert(&mut batch, &runs)?;
    usage::count(&mut batch, runs.iter().map(|(run, _)| run));

    let (mut rows, mut keys) = (Vec::new(), Vec::new());
    let (mut received, mut committed) = (Vec::new(), Vec::new());
    for (pipeline_id, lot) in lots {
        let Numbers {
            last_seq,
            revision,
            storage_id,
        } = numbers.get(&pipeline_id).copied().unwrap_or_default();
        let storage_id = storage_id.unwrap_or(pipeline_id);
        let first_seq = last_seq - lot.stored() + 1;
        received.extend(lot.received.into_iter().map(|of| NewBatch {
            storage_id,
            first_seq: first_seq + of.before,
            records: of.records,
            batch: of.batch,
        }));
        let numbered = (first_seq..).zip(lot.records);
        let records = numbered.map(|(seq, record)| {
            keys.extend(record.key.map(|key| NewKey {
                pipeline_id,
                key,
                seq,
                received_at_ms: record.received_at_ms,
            }));
            rows.push([
                storage_id.uuid().into(),
                seq.into(),
                record.time_ms.into(),
                record.received_at_ms.into(),
                record.json.into(),
            ]);
            StoredRecord {
                seq,
                time_ms: record.time_ms,
                received_at_ms: record.received_at_ms,
                fields: record.fields,
            }
        });
        committed.push(Committed {
            pipeline_id,
            records: records.collect(),
            runs: lot.runs.into(),
            revision,
        });
    }
    batch.add(&RECORDS, rows);
    record_keys::keep(&mut batch, keys);
    received::keep(&mut batch, received);
    marks::store(&mut batch, new_marks);
    batch.run(connection).await?;
    Ok(committed)
}

/// What a series says to a commit.
#[derive(Clone, Copy, Default)]
struct Numbers {
    /// The number of the last record, those of the commit included.
    last_seq: i64,
    revision: i64,
    /// The id under which its records are stored, if that is another one than the pipeline's.
    storage_id: Option<PipelineId>,
}

/// Counts the records in the totals of their pipelines; returns what these say then.
async fn take_numbers(
    connection: &impl ConnectionTrait,
    lots: &BTreeMap<PipelineId, Lot>,
) -> Result<HashMap<PipelineId, Numbers>, DbErr> {
    let mut rows = Vec::new();
    for (pipeline_id, lot) in lots {
        let records = lot.records.iter().map(|record| record.received_at_ms);
        let Some(last_received) = records.max() else {
            continue;
        };
        let bytes: i64 = lot.runs.iter().map(|run| run.stored_bytes).sum();
        rows.push([
            pipeline_id.uuid().into(),
            lot.stored().into(),
            lot.stored().into(),
            bytes.into(),
            last_received.into(),
        ]);
    }
    let mut numbers = SERIES.rows(connection, rows).await?;
    // What came in and became nothing has its place too.
    let only_received = lots
        .iter()
        .filter(|(_, lot)| lot.records.is_empty() && !lot.received.is_empty());
    let rows = only_received
        .map(|(id, _)| [id.uuid().into(), 0_i64.into(), 0_i64.into(), 0_i64.into()])
        .collect();
    numbers.extend(LOCK.rows(connection, rows).await?);
    numbers
        .iter()
        .map(|row| {
            let id = PipelineId::from_uuid(row.try_get("", "pipeline_id")?);
            let storage: Option<Uuid> = row.try_get("", "storage_id")?;
            let numbers = Numbers {
                last_seq: row.try_get("", "last_seq")?,
                revision: row.try_get("", "revision")?,
                storage_id: storage.map(PipelineId::from_uuid),
            };
            Ok((id, numbers))
        })
        .collect()
}
