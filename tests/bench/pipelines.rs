//! What a pipeline does with its records, apart from storing them.

mod polls;
mod sinks;
mod transform;

use crate::report::Measurement;

/// Measures everything, or what `only` names.
pub async fn measure(only: Option<&str>) -> Vec<Measurement> {
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    let mut measured = Vec::new();
    if wanted("transform") {
        measured.extend(transform::measure());
    }
    if wanted("polls") {
        measured.extend(polls::measure().await);
    }
    if wanted("sinks") {
        measured.extend(sinks::measure().await);
    }
    measured
}
