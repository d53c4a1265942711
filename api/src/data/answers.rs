//! Answers to questions that are asked once: several figures at a time, by bucket and group, the
//! largest groups first or in the order of their names, page by page.

use std::collections::HashMap;
use std::sync::Arc;

use dash_shared::fields::FieldPath;
use dash_shared::ids::PipelineId;
use dash_shared::queries::{Filter, Measure};

use super::aggregate::name_of;
use super::buckets::{Frame, Grid, MAX_BUCKETS};
use super::cells::{Cell, Group, Part};
use super::count::{Buckets, Counted, Selection};
use super::cover::Span;
use super::{ReadError, RecordStore};

/// The most figures of a question.
pub const MAX_MEASURES: usize = 8;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Whose records.
    pub pipeline_id: PipelineId,
    /// Of which time: the first millisecond in it, and the first after it.
    pub span: Span,
    /// How that is divided; not at all if none.
    pub grid: Option<Grid>,
    /// The figures, at least one, at most [`MAX_MEASURES`].
    pub measures: Vec<Measure>,
    /// Only of records that meet all of these.
    pub filters: Vec<Filter>,
    /// The field whose values make groups.
    pub group_by: Option<FieldPath>,
    /// Which groups come first.
    pub order: Order,
    /// How many groups are passed over.
    pub skip: usize,
    /// How many groups are told.
    pub first: usize,
}

/// The order of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By the first figure, the largest first.
    LargestFirst,
    /// By the first figure, the smallest first.
    SmallestFirst,
    /// By their names.
    ByName,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Where each bucket begins, in milliseconds since 1970; one if the time is not divided.
    pub times_ms: Vec<i64>,
    /// The groups; one without a name if there are no groups.
    pub groups: Vec<AnswerGroup>,
    /// How many groups there are in all.
    pub group_count: usize,
    /// How many records were counted.
    pub record_count: i64,
    /// The number of the newest record that was there.
    pub last_seq: i64,
}

/// The figures of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerGroup {
    /// Its name; `(none)` for records without a value.
    pub name: String,
    /// For each figure, the value of the whole time.
    pub totals: Vec<Option<f64>>,
    /// For each figure, the value of each bucket. Buckets without records are there, too.
    pub values: Vec<Vec<Option<f64>>>,
}

impl RecordStore {
    /// Answers a question.
    pub async fn answer(&self, question: &Question) -> Result<Answer, Arc<ReadError>> {
        let buckets = buckets(question)?;
        let mut counted: Vec<Arc<Counted>> = Vec::with_capacity(question.measures.len());
        let mut parts: Vec<Part> = Vec::new();
        let mut part_of = Vec::with_capacity(question.measures.len());
        for measure in &question.measures {
            let part = Part::of(measure);
            let place = if let Some(place) = parts.iter().position(|known| *known == part) {
                place
            } else {
                let selection = Selection {
                    pipeline_id: question.pipeline_id,
                    filters: question.filters.clone(),
                    group_by: question.group_by.clone(),
                    part: part.clone(),
                };
                counted.push(self.count(&selection, &buckets).await?);
                parts.push(part);
                parts.len() - 1
            };
            part_of.push(place);
        }
        Ok(put_together(question, &buckets, &counted, &part_of))
    }
}

fn buckets(question: &Question) -> Result<Buckets, ReadError> {
    let (from_ms, to_ms) = question.span;
    let Some(grid) = question.grid else {
        return Ok(Buckets {
            starts: vec![from_ms],
            end_ms: to_ms,
        });
    };
    let frame = Frame {
        from_ms: grid.start_of(from_ms),
        to_ms,
        grid,
    };
    if (to_ms - from_ms) / grid.width.about_ms() > i64::try_from(MAX_BUCKETS).unwrap_or(i64::MAX) {
        return Err(ReadError::TooManyBuckets(MAX_BUCKETS));
    }
    // The first and the last bucket are cut where the time ends.
    let mut starts = frame.starts();
    if let Some(first) = starts.first_mut() {
        *first = from_ms;
    }
    Ok(Buckets {
        starts,
        end_ms: to_ms,
    })
}

fn put_together(
    question: &Question,
    buckets: &Buckets,
    counted: &[Arc<Counted>],
    part_of: &[usize],
) -> Answer {
    // For each part, the total of each group.
    let totals: Vec<HashMap<&Group, Cell>> = counted
        .iter()
        .map(|counted| {
            let mut totals: HashMap<&Group, Cell> = HashMap::new();
            for (group, cell) in counted.buckets.values().flatten() {
                totals.entry(group).or_default().merge(cell);
            }
            totals
        })
        .collect();
    let all = Group::ALL;
    let mut groups: Vec<&Group> = totals.iter().flat_map(HashMap::keys).copied().collect();
    if question.group_by.is_none() {
        groups.push(&all);
    }
    groups.sort_unstable();
    groups.dedup();
    let nothing = Cell::default();
    let total = |measure: usize, group: &Group| {
        let (Some(measure), Some(totals)) = (
            question.measures.get(measure),
            part_of.get(measure).and_then(|place| totals.get(*place)),
        ) else {
            return None;
        };
        totals
            .get(group)
            .unwrap_or(&nothing)
            .value(measure.aggregate)
    };
    if question.order != Order::ByName {
        let mut sized: Vec<(f64, &Group)> = groups
            .into_iter()
            .map(|group| (total(0, group).unwrap_or(f64::NEG_INFINITY), group))
            .collect();
        sized.sort_by(|(a, _), (b, _)| match question.order {
            Order::SmallestFirst => a.total_cmp(b),
            Order::LargestFirst | Order::ByName => b.total_cmp(a),
        });
        groups = sized.into_iter().map(|(_, group)| group).collect();
    }
    let group_count = groups.len();
    let record_count = counted.iter().map(|counted| {
        let cells = counted.buckets.values().flat_map(HashMap::values);
        cells.map(Cell::records).sum::<u64>()
    });
    let groups = groups
        .into_iter()
        .skip(question.skip)
        .take(question.first)
        .map(|group| AnswerGroup {
            name: name_of(group, question.group_by.is_some()),
            totals: (0..question.measures.len())
                .map(|measure| total(measure, group))
                .collect(),
            values: question
                .measures
                .iter()
                .zip(part_of)
                .filter_map(|(measure, place)| Some((measure, counted.get(*place)?)))
                .map(|(measure, counted)| {
                    let value = |start: &i64| {
                        let cell = counted
                            .buckets
                            .get(start)
                            .and_then(|cells| cells.get(group));
                        cell.unwrap_or(&nothing).value(measure.aggregate)
                    };
                    buckets.starts.iter().map(value).collect()
                })
                .collect(),
        })
        .collect();
    Answer {
        times_ms: buckets.starts.clone(),
        groups,
        group_count,
        record_count: i64::try_from(record_count.max().unwrap_or(0)).unwrap_or(i64::MAX),
        last_seq: counted
            .iter()
            .map(|counted| counted.totals.last_seq)
            .min()
            .unwrap_or(0),
    }
}
