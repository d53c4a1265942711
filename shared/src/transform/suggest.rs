//! What a mapping could be, from a sample of what comes in.

use super::mapping::{FieldMapping, check_field_name};
use crate::fields::{FieldType, SampledField};

/// Suggests a mapping for fields seen in a sample: short distinct names, and casts where the values
/// need one. `skip` leaves out what nobody charts: links, and fields that were never filled.
pub fn suggest_mapping(sample: &[SampledField]) -> Vec<FieldMapping> {
    let mut mappings: Vec<FieldMapping> = Vec::new();
    for field in sample {
        if field.example.is_none() || is_link(field) || mappings.len() >= 24 {
            continue;
        }
        let path = field.path.as_str();
        let short = tidy(field.path.last_key());
        let to = if path.ends_with(']') || mappings.iter().any(|other| other.to == short) {
            tidy(path)
        } else {
            short
        };
        if mappings.iter().any(|other| other.to == to) || check_field_name(&to).is_err() {
            continue;
        }
        let cast = match field.field_type {
            FieldType::Text => None,
            other => Some(other),
        };
        mappings.push(FieldMapping {
            from: field.path.clone(),
            to,
            cast,
        });
    }
    mappings
}

fn is_link(field: &SampledField) -> bool {
    field
        .example
        .as_deref()
        .is_some_and(|text| text.starts_with("http://") || text.starts_with("https://"))
}

/// The path as a plain name: letters, digits and underscores.
pub(super) fn tidy(path: &str) -> String {
    let mut name = String::new();
    for c in path.chars() {
        if c.is_alphanumeric() {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    name.trim_end_matches('_').to_owned()
}

/// The field that most likely says when a record happened.
pub fn suggest_time_field(mappings: &[FieldMapping]) -> Option<&str> {
    let times: Vec<&str> = mappings
        .iter()
        .filter(|mapping| mapping.cast == Some(FieldType::Time))
        .map(|mapping| mapping.to.as_str())
        .collect();
    let preferred = [
        "time",
        "timestamp",
        "created_at",
        "createdAt",
        "created",
        "date",
    ];
    preferred
        .into_iter()
        .find(|name| times.contains(name))
        .or_else(|| times.first().copied())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fields::sample_fields;

    #[test]
    fn the_suggestion_for_a_nested_record_is_flat_and_typed() {
        let quake = json!({
            "type": "Feature",
            "properties": {"mag": 1.4, "place": "Alaska", "time": 1_517_977_070_820_i64,
                "url": "https://earthquake.test/1", "type": "earthquake"},
            "geometry": {"coordinates": [-149.4, 63.2]},
        });
        let sample = sample_fields([quake.as_object().unwrap()]);
        let suggested = suggest_mapping(&sample);
        let names: Vec<_> = suggested
            .iter()
            .map(|mapping| mapping.to.as_str())
            .collect();
        assert_eq!(
            names,
            [
                "type",
                "mag",
                "place",
                "time",
                "properties_type",
                "geometry_coordinates_0",
                "geometry_coordinates_1"
            ]
        );
        assert_eq!(suggest_time_field(&suggested), Some("time"));
    }
}
