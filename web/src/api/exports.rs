//! Files with all records of a pipeline: where they are, and having the browser save one.

use cynic::QueryBuilder;
use leptos::prelude::document;
use wasm_bindgen::JsCast as _;
use web_sys::HtmlElement;

use super::questions::{FilterInput, TimeRangeInput};
use super::{ApiError, schema};

/// How a file of records is written.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// For spreadsheets.
    Csv,
    /// For programs: a JSON object on each line.
    Ndjson,
}

/// Which records, and how they are written.
#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct ExportVariables {
    /// The pipeline's global id.
    pub id: cynic::Id,
    /// How.
    pub format: ExportFormat,
    /// Of which time; of all without one.
    pub range: Option<TimeRangeInput>,
    /// What they have to meet.
    pub filters: Vec<FilterInput>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "ExportVariables")]
struct ExportQuery {
    #[arguments(id: $id)]
    pipeline: ExportedPipeline,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Pipeline", variables = "ExportVariables")]
struct ExportedPipeline {
    #[arguments(format: $format, range: $range, filters: $filters)]
    export_url: String,
}

/// Has the browser save a file of records.
pub async fn save(asked: ExportVariables) -> Result<(), ApiError> {
    let answer = super::run(ExportQuery::build(asked)).await?;
    let url = answer.pipeline.export_url;
    // The session is that of the page's own address, whatever other names this Dash has.
    let after_scheme = url.split_once("://").map_or(&*url, |(_, rest)| rest);
    let path = after_scheme.split_once('/').map_or("", |(_, path)| path);
    let link = document()
        .create_element("a")
        .ok()
        .and_then(|link| link.dyn_into::<HtmlElement>().ok());
    if let Some(link) = link {
        // A link that is set up from plain names cannot fail.
        let _ = link.set_attribute("href", &format!("/{path}"));
        let _ = link.set_attribute("download", "");
        link.click();
    }
    Ok(())
}
