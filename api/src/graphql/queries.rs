//! Questions about a pipeline's records: figures by bucket and group, and the records behind them.

use async_graphql::{Context, Enum, InputObject, SimpleObject};
use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use dash_shared::codes::ErrorCode;
use dash_shared::fields::FieldPath;
use dash_shared::ids::PipelineId;
use dash_shared::ranges;
use dash_shared::{Invalid, queries};
use url::form_urlencoded;

use super::dashboards::TimeRange;
use super::errors::{error_with_code, top_level};
use super::paging::{cursor, page_size};
use super::records::Record;
use super::widgets::Aggregate;
use super::{date_time, float, int, services};
use crate::data::{self, Grid, MAX_MEASURES, Question, Span, Width};

/// How wide buckets may be within a day, in seconds.
const MAX_BUCKET_SECONDS: i32 = 43_200;
const DAY_SECONDS: i32 = 86_400;

/// How a field's value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "queries::Comparison")]
pub enum Comparison {
    /// The same value; a number equals a text that is written like it.
    Equal,
    /// Another value, or none.
    NotEqual,
    /// Smaller: numbers by size, texts by their characters.
    Less,
    /// Smaller or the same.
    AtMost,
    /// Larger.
    Greater,
    /// Larger or the same.
    AtLeast,
    /// A text that has this one in it, whatever the case of letters.
    Contains,
    /// There is a value.
    Exists,
    /// There is none.
    Missing,
}

/// A condition that records have to meet.
#[derive(Clone, Debug, SimpleObject, InputObject)]
#[graphql(input_name = "FilterInput")]
pub struct Filter {
    /// The path of the field that is looked at: `country`, `items[0].price`.
    field: String,
    /// How its value is compared.
    comparison: Comparison,
    /// What it is compared with, as text; not used by `EXISTS` and `MISSING`.
    #[graphql(default)]
    value: String,
}

impl From<queries::Filter> for Filter {
    fn from(filter: queries::Filter) -> Self {
        Self {
            field: filter.field.to_string(),
            comparison: filter.comparison.into(),
            value: filter.value,
        }
    }
}

impl Filter {
    /// Reads the path; the error is a sentence.
    pub(super) fn read(self) -> Result<queries::Filter, String> {
        let field = self.field.parse().map_err(|error| format!("{error}."))?;
        Ok(queries::Filter {
            field,
            comparison: self.comparison.into(),
            value: self.value,
        })
    }
}

/// A figure: an aggregate of a field.
#[derive(Clone, Debug, InputObject)]
pub struct MeasureInput {
    /// How values become one.
    aggregate: Aggregate,
    /// The path of the field; none for counting records.
    field: Option<String>,
}

/// Units of the calendar, in the days of the time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum CalendarUnit {
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday.
    Week,
    /// From the first to the last day.
    Month,
}

/// How time is divided: by seconds or by the calendar.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct BucketInput {
    /// How wide a bucket is, in seconds: a divisor of a day, at most 43,200.
    seconds: Option<i32>,
    /// Days, weeks or months of the time zone.
    unit: Option<CalendarUnit>,
}

/// The order of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "data::Order")]
pub enum GroupOrder {
    /// By the first figure, the largest first.
    LargestFirst,
    /// By the first figure, the smallest first.
    SmallestFirst,
    /// By their names.
    ByName,
}

/// A question about a pipeline's records.
#[derive(Clone, Debug, InputObject)]
pub struct RecordQueryInput {
    /// The figures: 1 to 8.
    measures: Vec<MeasureInput>,
    /// Of which time.
    range: TimeRange,
    /// How that is divided; not at all without it.
    bucket: Option<BucketInput>,
    /// Whose days they are: an IANA time zone.
    #[graphql(default = "UTC")]
    time_zone: String,
    /// Only of records that meet all of these: at most 10.
    #[graphql(default)]
    filters: Vec<Filter>,
    /// The field whose values make groups.
    group_by: Option<String>,
    /// Which groups come first.
    #[graphql(default_with = "GroupOrder::LargestFirst")]
    order: GroupOrder,
    /// How many groups the page has: 1 to 100, 20 by default.
    first: Option<i32>,
    /// The `endCursor` after which the page of groups begins.
    after: Option<String>,
}

/// The answer to a question about records.
#[derive(Debug, SimpleObject)]
pub struct RecordAnswer {
    /// Where each bucket begins; one if time is not divided.
    times: Vec<DateTime<Utc>>,
    /// The groups of this page; one without a name if there are no groups.
    groups: Vec<RecordGroup>,
    /// How many groups there are in all.
    group_count: i32,
    /// How many records were counted.
    record_count: f64,
    /// The cursor of the page's last group, if there are more.
    end_cursor: Option<String>,
}

/// The figures of a group of records.
#[derive(Debug, SimpleObject)]
pub struct RecordGroup {
    /// The value that they share; `(none)` for records without one.
    name: String,
    /// For each figure, the value of the whole time.
    totals: Vec<Option<f64>>,
    /// For each figure, the value of each bucket. Buckets without records are there, too.
    values: Vec<Vec<Option<f64>>>,
}

/// Records that were searched for, the newest by time first.
#[derive(Debug, SimpleObject)]
pub struct FoundRecords {
    /// The records. A page may have fewer than asked for and not be the last one: only so many
    /// records are looked at for one page.
    nodes: Vec<Record>,
    /// Where the search goes on, if there may be more.
    end_cursor: Option<String>,
}

fn bad_input(message: impl Into<String>) -> async_graphql::Error {
    error_with_code(ErrorCode::BadUserInput, message)
}

fn first_problem(problems: Vec<Invalid>) -> async_graphql::Result<()> {
    match problems.into_iter().next() {
        Some(problem) => Err(bad_input(problem.message)),
        None => Ok(()),
    }
}

fn read_filters(filters: Vec<Filter>) -> async_graphql::Result<Vec<queries::Filter>> {
    let filters: Result<Vec<_>, String> = filters.into_iter().map(Filter::read).collect();
    let filters = filters.map_err(bad_input)?;
    first_problem(queries::check_filters(&filters))?;
    Ok(filters)
}

fn read_path(text: &str) -> async_graphql::Result<FieldPath> {
    text.parse().map_err(|error| bad_input(format!("{error}.")))
}

fn read_measure(input: MeasureInput) -> async_graphql::Result<queries::Measure> {
    let aggregate: queries::Aggregate = input.aggregate.into();
    let field = input.field.as_deref().map(read_path).transpose()?;
    if field.is_none() && aggregate != queries::Aggregate::Count {
        return Err(bad_input("Only COUNT goes without a field."));
    }
    Ok(queries::Measure { aggregate, field })
}

/// Reads a time zone by its name.
pub(super) fn read_zone(name: &str) -> async_graphql::Result<Tz> {
    name.parse().map_err(|_| {
        bad_input(format!(
            "“{}” is not a time zone like Europe/Berlin or UTC.",
            name.chars().take(60).collect::<String>()
        ))
    })
}

fn read_width(input: BucketInput) -> async_graphql::Result<Width> {
    match (input.seconds, input.unit) {
        (Some(seconds), None)
            if (1..=MAX_BUCKET_SECONDS).contains(&seconds) && DAY_SECONDS % seconds == 0 =>
        {
            Ok(Width::of_seconds(i64::from(seconds)))
        }
        (Some(_), None) => Err(bad_input(
            "A bucket has a number of seconds that divides a day, at most 43,200.",
        )),
        (None, Some(CalendarUnit::Day)) => Ok(Width::Days(1)),
        (None, Some(CalendarUnit::Week)) => Ok(Width::Week),
        (None, Some(CalendarUnit::Month)) => Ok(Width::Month),
        _ => Err(bad_input("A bucket has either “seconds” or “unit”.")),
    }
}

/// The time of a range at `now_ms`. Up to now is up to the end of this second, so that those who
/// ask at the same time ask the same.
fn read_span(range: TimeRange, now_ms: i64) -> async_graphql::Result<Span> {
    let range = range.read_argument()?;
    first_problem(range.check_span().err().into_iter().collect())?;
    Ok(match range {
        ranges::TimeRange::Last { seconds } => {
            let to_ms = now_ms.div_euclid(1_000) * 1_000 + 1_000;
            (to_ms - seconds * 1_000, to_ms)
        }
        ranges::TimeRange::Between { from_ms, to_ms } => (from_ms, to_ms),
    })
}

/// Answers a question.
pub(super) async fn answer(
    ctx: &Context<'_>,
    pipeline_id: PipelineId,
    input: RecordQueryInput,
) -> async_graphql::Result<RecordAnswer> {
    let services = services(ctx)?;
    let span = read_span(input.range, services.clock.now_ms())?;
    if input.measures.is_empty() || input.measures.len() > MAX_MEASURES {
        return Err(bad_input(format!(
            "A question has 1 to {MAX_MEASURES} measures."
        )));
    }
    let zone = read_zone(&input.time_zone)?;
    let width = input.bucket.map(read_width).transpose()?;
    let skip: usize = cursor(input.after.as_deref())?.unwrap_or(0);
    let first = usize::try_from(page_size(input.first)?).unwrap_or(usize::MAX);
    let measures = input.measures.into_iter().map(read_measure);
    let question = Question {
        pipeline_id,
        span,
        grid: width.map(|width| Grid { width, zone }),
        measures: measures.collect::<Result<_, _>>()?,
        filters: read_filters(input.filters)?,
        group_by: input.group_by.as_deref().map(read_path).transpose()?,
        order: input.order.into(),
        skip,
        first,
    };
    let answer = services.store.answer(&question).await;
    let answer = answer.map_err(|error| top_level(ctx, error))?;
    let end = skip + answer.groups.len();
    Ok(RecordAnswer {
        times: answer.times_ms.into_iter().map(date_time).collect(),
        group_count: int(i64::try_from(answer.group_count).unwrap_or(i64::MAX)),
        record_count: float(answer.record_count),
        end_cursor: (end < answer.group_count).then(|| end.to_string()),
        groups: answer
            .groups
            .into_iter()
            .map(|group| RecordGroup {
                name: group.name,
                totals: group.totals,
                values: group.values,
            })
            .collect(),
    })
}

/// How a file of records is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ExportFormat {
    /// Comma-separated values: a line of names, then a line for each record, nested fields as columns
    /// of their own.
    Csv,
    /// A JSON object on each line, as `Record` has it.
    Ndjson,
}

/// Where all records of a time that meet the filters are found as a file.
pub(super) fn export_url(
    ctx: &Context<'_>,
    pipeline_id: PipelineId,
    format: ExportFormat,
    range: Option<TimeRange>,
    filters: Vec<Filter>,
) -> async_graphql::Result<String> {
    let services = services(ctx)?;
    let file = match format {
        ExportFormat::Csv => "records.csv",
        ExportFormat::Ndjson => "records.ndjson",
    };
    let mut parameters = form_urlencoded::Serializer::new(String::new());
    if let Some(range) = range {
        let (from_ms, to_ms) = read_span(range, services.clock.now_ms())?;
        for (name, ms) in [("from", from_ms), ("to", to_ms)] {
            let time = date_time(ms).to_rfc3339_opts(SecondsFormat::Millis, true);
            parameters.append_pair(name, &time);
        }
    }
    let filters = read_filters(filters)?;
    if !filters.is_empty() {
        let filters = serde_json::to_string(&filters)
            .map_err(|error| bad_input(format!("The filters cannot be written: {error}.")))?;
        parameters.append_pair("filters", &filters);
    }
    let parameters = parameters.finish();
    let mark = if parameters.is_empty() { "" } else { "?" };
    let public_url = &services.public_url;
    Ok(format!(
        "{public_url}/v1/pipelines/{pipeline_id}/{file}{mark}{parameters}"
    ))
}

/// Searches for records.
pub(super) async fn search(
    ctx: &Context<'_>,
    pipeline_id: PipelineId,
    range: TimeRange,
    filters: Vec<Filter>,
    first: Option<i32>,
    after: Option<&str>,
) -> async_graphql::Result<FoundRecords> {
    let services = services(ctx)?;
    let span = read_span(range, services.clock.now_ms())?;
    let place = data::Place {
        span,
        before: after.map(read_place).transpose()?,
        last_seq: i64::MAX,
    };
    let limit = usize::try_from(page_size(first)?).unwrap_or(usize::MAX);
    let filters = read_filters(filters)?;
    let found = services.store.search(pipeline_id, &filters, place, limit);
    let found = found.await.map_err(|error| top_level(ctx, error))?;
    Ok(FoundRecords {
        end_cursor: found.next.map(|(time_ms, seq)| format!("{time_ms}.{seq}")),
        nodes: found
            .records
            .into_iter()
            .map(|record| Record {
                pipeline_id,
                record,
            })
            .collect(),
    })
}

fn read_place(after: &str) -> async_graphql::Result<(i64, i64)> {
    let parts = after.split_once('.');
    let place = parts.and_then(|(time, seq)| Some((time.parse().ok()?, seq.parse().ok()?)));
    place.ok_or_else(|| bad_input("“after” is not a cursor. Use “endCursor” of the page before."))
}
