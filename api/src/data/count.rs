//! Counting: the cells of a row of buckets, from roll-ups where there are any and from the records
//! themselves where not, all of one state of the database. Results are kept by what was asked and
//! by the state of the pipeline's data, so that whoever asks the same gets the same computation,
//! and new records make the old result useless by its name.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dash_shared::fields::FieldPath;
use dash_shared::ids::PipelineId;
use dash_shared::queries::{Comparison, Filter, MAX_GROUP_BYTES};
use moka::future::Cache;
use sea_orm::{ConnectionTrait, DatabaseTransaction};

use super::cells::{Cell, Group, Groups, Part};
use super::cover::{Cover, Level, Span};
use super::read::{SeriesTotals, has_more_than, scan_span, scan_tail, totals_of};
use super::rollups::{self, Definition, MIN_RECORDS, View, units};
use super::{ReadError, RecordStore, StoredRecord};

/// How many groups an answer may have.
pub(super) const MAX_GROUPS: usize = 10_000;
/// How many cells an answer may have.
const MAX_CELLS: usize = 500_000;
/// How many records after a view's watermark are counted on the way.
const MAX_TAIL: i64 = 100_000;
/// How many records are counted one by one while a view is being made.
const MAX_WHILE_PREPARING: i64 = 200_000;
/// A view that is this far behind is told to catch up.
const FAR_BEHIND: i64 = 10_000;
/// How much memory results may take, in bytes.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// What a cell takes, about, without sketches.
const CELL_BYTES: usize = 200;
/// What a sketch takes, about.
const SKETCH_BYTES: usize = 4_096;
/// How long a result is kept that nobody asks for.
const IDLE: Duration = Duration::from_mins(2);

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Selection {
    /// Whose records.
    pub(super) pipeline_id: PipelineId,
    /// Only those that meet all of these.
    pub(super) filters: Vec<Filter>,
    /// The field whose values make groups.
    pub(super) group_by: Option<FieldPath>,
    /// What has to be known of each group.
    pub(super) part: Part,
}

/// Buckets that follow each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Buckets {
    /// Where each begins.
    pub(super) starts: Vec<i64>,
    /// Where the last one ends.
    pub(super) end_ms: i64,
}

impl Buckets {
    fn span(&self) -> Span {
        (
            self.starts.first().copied().unwrap_or(self.end_ms),
            self.end_ms,
        )
    }

    fn start_of(&self, time_ms: i64) -> Option<i64> {
        if time_ms >= self.end_ms {
            return None;
        }
        let after = self.starts.partition_point(|start| *start <= time_ms);
        self.starts.get(after.checked_sub(1)?).copied()
    }
}

/// What was counted.
#[derive(Debug)]
pub(super) struct Counted {
    /// The cells of each bucket that has records, by where it begins.
    pub(super) buckets: BTreeMap<i64, Groups>,
    /// The pipeline as it was then.
    pub(super) totals: SeriesTotals,
}

type Key = (Selection, Buckets, i64, i64);

/// Results that may be asked for again. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Results(Cache<Key, Arc<Counted>>);

impl Default for Results {
    fn default() -> Self {
        let weigh = |(selection, ..): &Key, counted: &Arc<Counted>| {
            let cells: usize = counted.buckets.values().map(Groups::len).sum();
            let cell = match selection.part.sketch {
                super::cells::Sketch::None => CELL_BYTES,
                _ => CELL_BYTES + SKETCH_BYTES,
            };
            u32::try_from(1_000 + cells * cell).unwrap_or(u32::MAX)
        };
        Self(
            Cache::builder()
                .weigher(weigh)
                .max_capacity(CACHE_BYTES)
                .time_to_idle(IDLE)
                .build(),
        )
    }
}

/// How a selection can be read from roll-ups.
struct Way<'a> {
    definition: Definition,
    /// Only the groups that are equal to this, all as one if the selection has no groups.
    only: Option<&'a Filter>,
}

impl<'a> Way<'a> {
    fn of(selection: &'a Selection) -> Option<Self> {
        let part = selection.part.clone();
        match selection.filters.as_slice() {
            [] => Some(Self {
                definition: Definition {
                    group_by: selection.group_by.clone(),
                    part,
                },
                only: None,
            }),
            [filter]
                if filter.comparison == Comparison::Equal
                    && filter.value.len() < MAX_GROUP_BYTES - 4
                    && (selection.group_by.is_none()
                        || selection.group_by.as_ref() == Some(&filter.field)) =>
            {
                Some(Self {
                    definition: Definition {
                        group_by: Some(filter.field.clone()),
                        part,
                    },
                    only: Some(filter),
                })
            }
            _ => None,
        }
    }

    /// The group that a unit's group belongs to; none if it is filtered out.
    fn group(&self, group: Group, selection: &Selection) -> Option<Group> {
        let Some(filter) = self.only else {
            return Some(group);
        };
        let matches = group
            .0
            .as_deref()
            .is_some_and(|text| filter.equals_text(text));
        match (matches, &selection.group_by) {
            (false, _) => None,
            (true, Some(_)) => Some(group),
            (true, None) => Some(Group::ALL),
        }
    }
}

/// The cells so far.
struct Tally<'a> {
    selection: &'a Selection,
    buckets: &'a Buckets,
    cells: BTreeMap<i64, Groups>,
    count: usize,
    groups: std::collections::HashSet<Group>,
}

impl Tally<'_> {
    fn add(&mut self, record: &StoredRecord) {
        let Some(start) = self.buckets.start_of(record.time_ms) else {
            return;
        };
        let filters = &self.selection.filters;
        if !filters.iter().all(|filter| filter.matches(&record.fields)) {
            return;
        }
        let selection = self.selection;
        let group = Group::of(record, selection.group_by.as_ref());
        if let Some(cell) = self.cell(start, group) {
            cell.add(record, &selection.part);
        }
    }

    fn merge(&mut self, time_ms: i64, group: Group, cell: &Cell) {
        if let Some(start) = self.buckets.start_of(time_ms)
            && let Some(mine) = self.cell(start, group)
        {
            mine.merge(cell);
        }
    }

    /// The cell to add to; none when there are too many already.
    fn cell(&mut self, start: i64, group: Group) -> Option<&mut Cell> {
        if self.is_over() {
            return None;
        }
        let groups = self.cells.entry(start).or_default();
        if !groups.contains_key(&group) {
            self.count += 1;
            if self.selection.group_by.is_some() {
                self.groups.insert(group.clone());
            }
        }
        Some(groups.entry(group).or_default())
    }

    fn is_over(&self) -> bool {
        self.groups.len() > MAX_GROUPS || self.count > MAX_CELLS
    }

    fn check(&self) -> Result<(), ReadError> {
        if self.is_over() {
            return Err(ReadError::TooManyGroups(MAX_GROUPS));
        }
        Ok(())
    }
}

impl RecordStore {
    /// Counts, or finds what somebody else counts at the moment or has counted.
    pub(super) async fn count(
        &self,
        selection: &Selection,
        buckets: &Buckets,
    ) -> Result<Arc<Counted>, Arc<ReadError>> {
        let id = selection.pipeline_id;
        let reading = self.reading(id).await?;
        match reading
            .store
            .count_in(selection, buckets, reading.totals)
            .await
        {
            Err(error) if reading.from_replica && matches!(*error, ReadError::Database(_)) => {
                self.leave_replica(&error);
                let reading = self.reading_primary(id).await?;
                reading
                    .store
                    .count_in(selection, buckets, reading.totals)
                    .await
            }
            counted => counted,
        }
    }

    /// The same in this store's own database.
    async fn count_in(
        &self,
        selection: &Selection,
        buckets: &Buckets,
        totals: SeriesTotals,
    ) -> Result<Arc<Counted>, Arc<ReadError>> {
        let key = (
            selection.clone(),
            buckets.clone(),
            totals.last_seq,
            totals.revision,
        );
        self.results
            .0
            .try_get_with(key, self.compute(selection, buckets, totals.record_count))
            .await
    }

    async fn compute(
        &self,
        selection: &Selection,
        buckets: &Buckets,
        record_count: i64,
    ) -> Result<Arc<Counted>, ReadError> {
        metrics::counter!("dash_queries_computed_total").increment(1);
        let way = Way::of(selection).filter(|_| record_count >= MIN_RECORDS);
        if let Some(way) = &way {
            let now_ms = self.clock.now_ms();
            self.rollups
                .want(selection.pipeline_id, &way.definition, now_ms)
                .await?;
        }
        let snapshot = self.db.begin_read().await?;
        let totals = totals_of(&snapshot, selection.pipeline_id).await?;
        let view = match &way {
            Some(way) => rollups::find(&snapshot, selection.pipeline_id, &way.definition).await?,
            None => None,
        };
        let mut tally = Tally {
            selection,
            buckets,
            cells: BTreeMap::new(),
            count: 0,
            groups: std::collections::HashSet::new(),
        };
        match way.zip(view) {
            Some((way, view)) if totals.last_seq - view.watermark <= MAX_TAIL => {
                if totals.last_seq - view.watermark > FAR_BEHIND {
                    self.rollups.hurry(selection.pipeline_id);
                }
                from_units(&snapshot, &mut tally, &way, &view).await?;
                scan_tail(
                    &snapshot,
                    selection.pipeline_id,
                    view.watermark,
                    totals.last_seq,
                    |record| tally.add(record),
                )
                .await?;
            }
            other => {
                if let Some((_, view)) = other {
                    self.rollups.hurry(selection.pipeline_id);
                    let (id, span) = (selection.pipeline_id, buckets.span());
                    if has_more_than(&snapshot, id, span, MAX_WHILE_PREPARING).await? {
                        return Err(ReadError::Preparing {
                            done: view.watermark,
                            of: totals.last_seq,
                        });
                    }
                }
                scan_span(
                    &snapshot,
                    selection.pipeline_id,
                    buckets.span(),
                    totals.last_seq,
                    |record| tally.add(record),
                )
                .await?;
            }
        }
        tally.check()?;
        Ok(Arc::new(Counted {
            buckets: tally.cells,
            totals,
        }))
    }
}

/// Adds what a view has counted.
async fn from_units(
    snapshot: &DatabaseTransaction,
    tally: &mut Tally<'_>,
    way: &Way<'_>,
    view: &View,
) -> Result<(), ReadError> {
    let cover = Cover::of(&tally.buckets.starts, tally.buckets.end_ms);
    for span in cover.raw {
        scan_counted(snapshot, tally, view, span).await?;
    }
    let mut todo = cover.units;
    while let Some((level, (from_ms, to_ms))) = todo.pop() {
        let found = units(snapshot, view, level, (from_ms, to_ms)).await?;
        for (start, cells) in found.counted {
            for (group, cell) in cells {
                if let Some(group) = way.group(group, tally.selection) {
                    tally.merge(start, group, &cell);
                }
            }
        }
        tally.check()?;
        for start in found.stale {
            descend(snapshot, tally, view, level, start, &mut todo).await?;
        }
        if !found.is_all {
            todo.push((level, (found.next_ms, to_ms)));
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Reads a unit that has to be counted again from what is below it.
async fn descend(
    snapshot: &DatabaseTransaction,
    tally: &mut Tally<'_>,
    view: &View,
    level: Level,
    start: i64,
    todo: &mut Vec<(Level, Span)>,
) -> Result<(), ReadError> {
    let span = (start, start + level.width_ms());
    match level.finer() {
        Some(finer) => todo.push((finer, span)),
        None => scan_counted(snapshot, tally, view, span).await?,
    }
    Ok(())
}

/// Adds the records of a span, as far as the view has counted; the others come with the tail.
async fn scan_counted(
    snapshot: &impl ConnectionTrait,
    tally: &mut Tally<'_>,
    view: &View,
    span: Span,
) -> Result<(), ReadError> {
    let id = tally.selection.pipeline_id;
    scan_span(snapshot, id, span, view.watermark, |record| {
        tally.add(record);
    })
    .await
}
