//! All records of a pipeline as a file: `GET /v1/pipelines/{id}/records.csv` and `records.ndjson`.
//!
//! A file is written while it is taken: a chunk is read when the one before it is gone. One that
//! cannot be finished breaks off visibly, so that half a file is never taken for a whole one.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Router, routing};
use bytes::Bytes;
use chrono::DateTime;
use dash_shared::codes::ErrorCode;
use dash_shared::ids::{PipelineId, TeamId};
use dash_shared::queries::{Filter, check_filters};
use futures_util::{StreamExt as _, stream};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tower_http::compression::CompressionLayer;

use super::callers::{Caller, UnknownCaller, request_id};
use super::problems::Problem;
use crate::app::App;
use crate::pipelines::{Export, PipelinesError, Span};

mod rows;

use rows::{Columns, Format, Rows};

/// How many files are written at the same time, and how many of them for one team.
const MAX_FILES: usize = 8;
const MAX_FILES_OF_A_TEAM: usize = 2;
/// How long a file may take.
const TIME_LIMIT: Duration = Duration::from_hours(2);
/// Who takes nothing for so long is gone.
const SEND_TIME_LIMIT: Duration = Duration::from_mins(1);
/// How many chunks wait to be taken.
const WAITING_CHUNKS: usize = 2;

/// The routes.
pub(super) fn router() -> Router<Arc<App>> {
    let csv = async |app, slots, id, query, request| {
        export(app, slots, id, query, request, Format::Csv).await
    };
    let ndjson = async |app, slots, id, query, request| {
        export(app, slots, id, query, request, Format::Ndjson).await
    };
    Router::new()
        .route("/v1/pipelines/{id}/records.csv", routing::get(csv))
        .route("/v1/pipelines/{id}/records.ndjson", routing::get(ndjson))
        .layer(CompressionLayer::new())
        .layer(Extension(Slots::default()))
}

async fn export(
    State(app): State<Arc<App>>,
    Extension(slots): Extension<Slots>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
    format: Format,
) -> Response {
    let (parts, _) = request.into_parts();
    let request_id = request_id(&parts.extensions);
    let begun = async {
        let caller = Caller::of(&app, &parts).await.map_err(unknown_caller)?;
        let scope = caller.viewer.map(|viewer| viewer.scope()).ok_or_else(|| {
            let message = "Log in first.";
            Problem::new(
                StatusCode::UNAUTHORIZED,
                ErrorCode::Unauthenticated.as_str(),
                message,
            )
        })?;
        let asked = Asked::read(query.as_deref().unwrap_or_default())?;
        let id: PipelineId = id.parse().map_err(|_| not_found())?;
        let slot = slots.take(scope.team_id()).ok_or_else(busy)?;
        let export = app
            .pipelines
            .export_records(&scope, id, asked.span, asked.filters);
        let (pipeline, export) = export.await.map_err(unreadable)?;
        let columns = match (format, asked.columns) {
            (Format::Ndjson, _) => Columns::default(),
            (Format::Csv, columns) if !columns.is_empty() => columns,
            (Format::Csv, _) => find_columns(export.again()).await?,
        };
        Ok((pipeline, export, Rows::new(format, id, columns), slot))
    };
    let (pipeline, export, rows, slot) = match begun.await {
        Ok(begun) => begun,
        Err(problem) => return Problem::response(problem, &request_id),
    };
    let (sender, receiver) = mpsc::channel(WAITING_CHUNKS);
    let stopping = app.stopping.clone();
    tokio::spawn(async move {
        let written = write(export, rows, sender);
        if let Some(Err(ended)) = stopping.run_until_cancelled(written).await {
            tracing::warn!(id = request_id.as_str(), %ended, "an export broke off");
        }
        drop(slot);
    });
    let date = DateTime::from_timestamp_millis(app.clock.now_ms()).unwrap_or_default();
    let name = file_name(&pipeline.name, &date.format("%Y-%m-%d").to_string(), format);
    let mut response = body(receiver).into_response();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static(format.content_type()),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(disposition) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    response
}

/// What a request asks for.
#[derive(Debug)]
struct Asked {
    span: Span,
    filters: Vec<Filter>,
    columns: Columns,
}

impl Asked {
    fn read(query: &str) -> Result<Self, Problem> {
        let mut asked = Self {
            span: (i64::MIN, i64::MAX),
            filters: Vec::new(),
            columns: Columns::default(),
        };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "from" => asked.span.0 = read_time(&name, &value)?,
                "to" => asked.span.1 = read_time(&name, &value)?,
                "filters" => {
                    asked.filters = serde_json::from_str(&value).map_err(|error| {
                        bad_request(format!("“filters” cannot be read: {error}."))
                    })?;
                }
                "field" => {
                    let path = value.parse().map_err(|error| {
                        bad_request(format!("“field” cannot be read: {error}."))
                    })?;
                    if !asked.columns.add(path) {
                        return Err(too_many_columns());
                    }
                }
                other => {
                    let other: String = other.chars().take(40).collect();
                    return Err(bad_request(format!(
                        "There is no parameter “{other}”: use from, to, filters and field."
                    )));
                }
            }
        }
        match check_filters(&asked.filters).into_iter().next() {
            Some(problem) => Err(bad_request(problem.message)),
            None => Ok(asked),
        }
    }
}

fn read_time(name: &str, text: &str) -> Result<i64, Problem> {
    let time = DateTime::parse_from_rfc3339(text);
    time.map(|time| time.timestamp_millis()).map_err(|_| {
        bad_request(format!(
            "“{name}” is no time such as 2026-03-01T00:00:00Z. (A “+” in a URL is written %2B.)"
        ))
    })
}

/// The fields of all records that are asked for, in the order in which they first appear.
async fn find_columns(mut export: Export) -> Result<Columns, Problem> {
    let mut columns = Columns::default();
    while let Some(records) = export
        .next()
        .await
        .map_err(|error| unreadable(error.into()))?
    {
        for record in &records {
            if !columns.add_fields_of(&record.fields) {
                return Err(too_many_columns());
            }
        }
    }
    Ok(columns)
}

/// Writes a file into `sender`; says why if it cannot be finished.
async fn write(
    mut export: Export,
    mut rows: Rows,
    sender: mpsc::Sender<Part>,
) -> Result<(), &'static str> {
    let ends = Instant::now() + TIME_LIMIT;
    let send = async |part| {
        let sent = timeout(SEND_TIME_LIMIT, sender.send(part)).await;
        sent.map_err(|_| "nobody takes it")?
            .map_err(|_| "the connection is closed")
    };
    send(Part::Bytes(rows.head())).await?;
    loop {
        if Instant::now() > ends {
            return Err("it takes too long");
        }
        let records = export.next().await.map_err(|error| {
            tracing::error!(%error, "records cannot be read for an export");
            "the records cannot be read"
        })?;
        match records {
            None => return send(Part::End).await,
            Some(records) if records.is_empty() => tokio::task::yield_now().await,
            Some(records) => send(Part::Bytes(rows.write(&records))).await?,
        }
    }
}

/// A part of a file on its way.
enum Part {
    Bytes(Bytes),
    End,
}

/// A body that is complete only if its end was sent.
fn body(receiver: mpsc::Receiver<Part>) -> Body {
    let parts = stream::unfold(Some(receiver), |receiver| async {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Part::Bytes(bytes)) => Some((Ok(bytes), Some(receiver))),
            Some(Part::End) => None,
            None => Some((Err(io::Error::other("the export broke off")), None)),
        }
    });
    // What compresses it asks once more after the end.
    Body::from_stream(parts.fuse())
}

/// The name of a file: what letters and digits the pipeline's name has, and the day.
fn file_name(pipeline: &str, day: &str, format: Format) -> String {
    let letters = pipeline.chars().map(|letter| match letter {
        letter if letter.is_ascii_alphanumeric() => letter.to_ascii_lowercase(),
        _ => '-',
    });
    let letters: String = letters.take(60).collect();
    let mut words: Vec<&str> = letters.split('-').filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        words.push("records");
    }
    format!("{}-{day}.{}", words.join("-"), format.extension())
}

/// Who is writing a file. Cheap to clone.
#[derive(Clone, Debug, Default)]
struct Slots(Arc<Mutex<HashMap<TeamId, usize>>>);

/// A place among those who write a file; given back when it is dropped.
#[derive(Debug)]
struct Slot {
    slots: Slots,
    team_id: TeamId,
}

impl Slots {
    fn take(&self, team_id: TeamId) -> Option<Slot> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().sum();
        let own = taken.get(&team_id).copied().unwrap_or_default();
        if all >= MAX_FILES || own >= MAX_FILES_OF_A_TEAM {
            return None;
        }
        taken.insert(team_id, own + 1);
        Some(Slot {
            slots: self.clone(),
            team_id,
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.team_id) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.team_id);
            }
        }
    }
}

fn bad_request(message: impl Into<String>) -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        ErrorCode::BadUserInput.as_str(),
        message,
    )
}

fn too_many_columns() -> Problem {
    bad_request(format!(
        "The records have more than {} different fields. Name those you want with “field”, or take \
         records.ndjson.",
        rows::MAX_COLUMNS
    ))
}

fn not_found() -> Problem {
    let message = "There is no such pipeline.";
    Problem::new(StatusCode::NOT_FOUND, ErrorCode::NotFound.as_str(), message)
}

fn busy() -> Problem {
    let message = format!(
        "{MAX_FILES_OF_A_TEAM} files of a team are written at the same time. Wait for one to end."
    );
    let code = ErrorCode::RateLimited.as_str();
    Problem::new(StatusCode::TOO_MANY_REQUESTS, code, message).retry_after(10)
}

fn unknown_caller(unknown: UnknownCaller) -> Problem {
    match unknown {
        UnknownCaller::ForeignOrigin => {
            let message = "A page of another site cannot use your session.";
            let code = ErrorCode::Forbidden.as_str();
            Problem::new(StatusCode::FORBIDDEN, code, message)
        }
        UnknownCaller::Accounts(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "cannot authenticate");
            Problem::unavailable()
        }
    }
}

fn unreadable(error: PipelinesError) -> Problem {
    match error {
        PipelinesError::NotFound => not_found(),
        error => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "records cannot be exported");
            Problem::unavailable()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_read_or_refused() {
        let asked = Asked::read(
            "from=2026-01-01T00:00:00Z&to=2026-01-02T01:00:00%2B01:00&field=a.b\
             &filters=%5B%7B%22field%22:%22a%22,%22comparison%22:%22exists%22%7D%5D",
        )
        .unwrap();
        assert_eq!(asked.span, (1_767_225_600_000, 1_767_312_000_000));
        assert_eq!(asked.filters.len(), 1);
        assert_eq!(Asked::read("").unwrap().span, (i64::MIN, i64::MAX));
        for query in [
            "from=yesterday",
            "filters=x",
            "filters=%5B%7B%22field%22:%22%22,%22comparison%22:%22exists%22%7D%5D",
            "field=a..b",
            "limit=1",
        ] {
            assert!(Asked::read(query).is_err(), "{query}");
        }
    }

    #[test]
    fn a_file_has_a_harmless_name() {
        for (pipeline, expected) in [
            ("Orders / EU", "orders-eu-2026-01-01.csv"),
            ("\"; \r\n../x", "x-2026-01-01.csv"),
            ("注文", "records-2026-01-01.csv"),
        ] {
            assert_eq!(file_name(pipeline, "2026-01-01", Format::Csv), expected);
        }
    }

    #[tokio::test]
    async fn a_file_that_breaks_off_is_no_whole_one() {
        for (parts, is_whole) in [
            (vec![Part::Bytes(Bytes::from("a,b\r\n"))], false),
            (vec![Part::Bytes(Bytes::from("a,b\r\n")), Part::End], true),
        ] {
            let (sender, receiver) = mpsc::channel(WAITING_CHUNKS);
            for part in parts {
                assert!(sender.send(part).await.is_ok());
            }
            drop(sender);
            let read = axum::body::to_bytes(body(receiver), 1_000).await;
            assert_eq!(read.is_ok(), is_whole);
        }
    }

    #[test]
    fn a_team_cannot_take_all_places() {
        let slots = Slots::default();
        let (ours, theirs) = (TeamId::new(), TeamId::new());
        let taken: Vec<_> = (0..MAX_FILES_OF_A_TEAM).map(|_| slots.take(ours)).collect();
        assert!(taken.iter().all(Option::is_some));
        assert!(slots.take(ours).is_none());
        assert!(slots.take(theirs).is_some());
        drop(taken);
        assert!(slots.take(ours).is_some());
    }
}
