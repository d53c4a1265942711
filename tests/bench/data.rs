//! The record engine against the bare databases, a bare web server and itself with less to do.

mod hooks;
mod ingest;
mod memory;
mod queries;
mod rows;

use crate::fan_out;
use crate::report::Measurement;

/// Measures everything, or what `only` names.
pub async fn measure(only: Option<&str>) -> Vec<Measurement> {
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    let mut measured = Vec::new();
    if wanted("memory") {
        measured.extend(memory::measure().await);
    }
    if wanted("ingest") {
        measured.extend(ingest::measure().await);
    }
    if wanted("hooks") {
        measured.extend(hooks::measure().await);
    }
    if wanted("fan-out") {
        measured.extend(fan_out::measure().await);
    }
    if wanted("queries") {
        measured.extend(queries::measure().await);
    }
    measured
}
