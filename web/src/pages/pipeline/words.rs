//! The words and icons' names of the pipeline pages: states, sources, triggers, and what to do
//! about each error. Texts only; views are elsewhere.

use dash_shared::fields as shared;
use dash_shared::plans::duration_text;

use super::queries::{FieldType, HttpPollingSource, Pipeline, RunErrorCode, RunTrigger, Source};
use crate::format;

/// The kind of a source as people say it.
pub const fn source_name(source: &Source) -> &'static str {
    match source {
        Source::WebhookSource(_) => "Webhook",
        Source::HttpPollingSource(_) => "API polling",
        Source::PipelineSource(_) => "Pipeline",
        Source::DemoSource(_) => "Demo data",
        Source::FileUploadSource(_) => "File upload",
        Source::Other => "Source",
    }
}

/// What a source does, in half a line.
pub fn source_detail(source: &Source) -> String {
    match source {
        Source::WebhookSource(_) => "Events posted to a secret URL".to_owned(),
        Source::HttpPollingSource(polling) => {
            format!("{}, {}", host(&polling.url), schedule(polling))
        }
        Source::PipelineSource(_) => "What another pipeline stores".to_owned(),
        Source::DemoSource(_) => "Orders of an invented web shop".to_owned(),
        Source::FileUploadSource(_) => "CSV, NDJSON and JSON files".to_owned(),
        Source::Other => "Reload to see what is new".to_owned(),
    }
}

/// The host of an address, which is what people recognise.
pub fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#'])
        .next()
        .unwrap_or(rest)
        .to_owned()
}

/// A polling interval.
pub fn interval(seconds: i32) -> String {
    duration_text(u32::try_from(seconds).unwrap_or(0))
}

/// When a source is asked.
fn schedule(polling: &HttpPollingSource) -> String {
    match (&polling.cron, polling.interval_seconds) {
        (Some(cron), _) => format!("at {}", cron.expression),
        (None, seconds) => format!("every {}", interval(seconds.unwrap_or_default())),
    }
}

/// The line beside a pipeline's name.
pub fn summary(pipeline: &Pipeline, per_minute: i64) -> String {
    let source = match &pipeline.source {
        Source::HttpPollingSource(polling) => {
            format!("API polling {}", schedule(polling))
        }
        other => source_name(other).to_owned(),
    };
    let rate = format::plural(per_minute, "record a minute", "records a minute");
    format!("{source} · {rate} · version {}", pipeline.version)
}

/// What started a run.
pub const fn trigger_name(trigger: RunTrigger) -> &'static str {
    match trigger {
        RunTrigger::Schedule => "Schedule",
        RunTrigger::Manual => "Run now",
        RunTrigger::Webhook => "Webhook",
        RunTrigger::Demo => "Demo",
        RunTrigger::Pipeline => "Pipeline",
        RunTrigger::Window => "Window",
        RunTrigger::Replay => "Replay",
        RunTrigger::Upload => "File",
    }
}

/// A type as people say it.
pub const fn type_name(field_type: FieldType) -> &'static str {
    match field_type {
        FieldType::Text => "Text",
        FieldType::Number => "Number",
        FieldType::Boolean => "True / false",
        FieldType::Time => "Time",
    }
}

/// The same of a type that was found here.
pub const fn shared_type_name(field_type: shared::FieldType) -> &'static str {
    match field_type {
        shared::FieldType::Text => "Text",
        shared::FieldType::Number => "Number",
        shared::FieldType::Boolean => "True / false",
        shared::FieldType::Time => "Time",
    }
}

/// How long records are kept on a plan.
pub fn retention(days: Option<i32>) -> String {
    days.map_or_else(
        || "kept for good".to_owned(),
        |days| format!("{} kept", format::plural(days.into(), "day", "days")),
    )
}

/// Records and their size: `1,208 records · 412 MB`.
pub fn store_size(records: i64, bytes: f64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shortened for people anyway")]
    let count = if records < 1_000_000 {
        format::count(records)
    } else {
        format::compact(records as f64)
    };
    let noun = if records == 1 { "record" } else { "records" };
    format!("{count} {noun} · {}", format::bytes(bytes))
}

/// An error of a run in plain words: what happened, and what to do about it.
pub const fn error_words(code: RunErrorCode) -> (&'static str, &'static str) {
    match code {
        RunErrorCode::Unreachable => (
            "Nobody answers at this address",
            "Check it for typing errors, and that the server is up and reachable from the internet.",
        ),
        RunErrorCode::Timeout => (
            "The server took too long to answer",
            "Try again, or ask it for less at a time: many APIs take a limit in the address.",
        ),
        RunErrorCode::BadStatus => (
            "The server refused or failed",
            "The API’s documentation says which token or key it wants. Enter it under Authentication.",
        ),
        RunErrorCode::NotJson => (
            "The answer cannot be read",
            "Look in the API’s documentation for the address of its data. Some want the header Accept: application/json, or Accept: text/csv.",
        ),
        RunErrorCode::InvalidCsv => (
            "The CSV cannot be read",
            "Its first line names the fields, every other line has as many cells as that, and the text is UTF-8. Mend the line, or export the file again.",
        ),
        RunErrorCode::TooLarge => (
            "The answer is too large",
            "An answer holds at most 10 MB, 10,000 records and, as CSV, 500 columns. Ask for a smaller page, for example with ?limit=100.",
        ),
        RunErrorCode::NoToken => (
            "The token server gives no token",
            "Check the token address, the client’s id, its secret and the scope.",
        ),
        RunErrorCode::NoCursor => (
            "No record has a value in the cursor’s field",
            "Test the source to see its fields, and choose one that every record has.",
        ),
        RunErrorCode::NoSecret => (
            "A secret is missing",
            "The source names a secret that your team does not have. Add it, or take it out of the source.",
        ),
        RunErrorCode::NoRecords => (
            "There are no records at this path",
            "Look at the whole answer to see where its list of records is, and change the path.",
        ),
        RunErrorCode::ForbiddenTarget => (
            "This address is not on the public internet",
            "Dash only asks public addresses. Publish the API, or send its data to a webhook pipeline instead.",
        ),
        RunErrorCode::InvalidPath => (
            "The path to the records cannot be read",
            "Write a JSONPath: $ for the whole answer or the lines of a CSV, $.data for a list inside it, $.features[*] for each of its members.",
        ),
        RunErrorCode::SecretsLost => (
            "The stored headers cannot be opened",
            "The key that Dash was started with has changed. Enter the values of the headers again under Source.",
        ),
        RunErrorCode::InvalidSignature => (
            "Somebody sent something without proving who it was",
            "If that was the service you expect, check that the secret here and there is the same. If not, nothing was stored, and there is nothing to do.",
        ),
        RunErrorCode::Internal | RunErrorCode::Other => (
            "Something went wrong on our side",
            "Try again in a moment. Nothing was lost.",
        ),
    }
}
