//! What was handed over to a pipeline, as the API tells it.

use crate::api::schema;

/// How a file stands.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadState {
    /// It is arriving.
    Receiving,
    /// It was read.
    Done,
    /// It could not be read to its end.
    Failed,
    /// It did not arrive whole.
    Cancelled,
}

/// Variables of [`UploadsQuery`].
#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct UploadsVariables {
    /// The pipeline.
    pub id: cynic::Id,
}

/// The last files of a pipeline.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "UploadsVariables")]
pub struct UploadsQuery {
    /// The pipeline.
    #[arguments(id: $id)]
    pub pipeline: UploadsOf,
}

/// A pipeline, as far as its files are concerned.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Pipeline")]
pub struct UploadsOf {
    /// Its files, the newest first.
    #[arguments(first: 10)]
    pub uploads: UploadConnection,
}

/// Files.
#[derive(cynic::QueryFragment, Debug)]
pub struct UploadConnection {
    /// Them.
    pub nodes: Vec<Upload>,
}

/// A file.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Upload {
    /// Its id.
    pub id: cynic::Id,
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: UploadState,
    /// How much was read.
    pub bytes_read: f64,
    /// How large it is.
    pub total_bytes: Option<f64>,
    /// Records that were stored.
    pub stored: i32,
    /// Records that failed.
    pub failed: i32,
    /// Records that were there.
    pub duplicates: i32,
    /// The first that failed.
    pub errors: Vec<UploadLineError>,
    /// Why it ended too soon.
    pub error: Option<UploadError>,
}

/// A record of a file that failed.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct UploadLineError {
    /// Where.
    pub line: i32,
    /// Why.
    pub message: String,
}

/// Why a file ended too soon.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct UploadError {
    /// Why.
    pub message: String,
}
