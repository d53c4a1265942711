//! The transform: an ordered list of steps that turn what was received into the fields that are
//! stored. Total: whatever comes in, a record is stored, dropped, or fails with the step, the path
//! and the value. The server and the client's preview run this same code.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cast::cast;
use crate::fields::{FieldPath, FieldType, Fields, SampledField, shorten};
use crate::{Invalid, InvalidCode};

/// The most steps a pipeline has.
pub const MAX_STEPS: usize = 20;
/// The most fields one step maps.
pub const MAX_MAPPED_FIELDS: usize = 200;

/// What happens to a record that a step cannot handle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The record is not stored and is listed with the error.
    #[default]
    Fail,
    /// The record is silently left out.
    Drop,
    /// The record goes on; the field that failed becomes null.
    Keep,
}

/// Where one field comes from, what it is called and what type it gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldMapping {
    /// Where the value is in the record that comes in.
    pub from: FieldPath,
    /// The name it gets.
    pub to: String,
    /// The type it is converted to; left as it is without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cast: Option<FieldType>,
}

/// The field-mapping step: select, rename and cast.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapStep {
    /// The fields that come out, in this order.
    pub fields: Vec<FieldMapping>,
    /// Whether top-level fields that no mapping takes from are kept as they are.
    #[serde(default)]
    pub keep_rest: bool,
    /// What happens when a cast fails.
    #[serde(default)]
    pub on_error: OnError,
}

/// One step of a transform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Step {
    /// Select, rename and cast.
    Map(MapStep),
}

/// Why a record failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepError {
    /// The step, counted from 1; 0 is before the first one.
    pub step: usize,
    /// The path of the value.
    pub path: String,
    /// The value, shortened.
    pub value: String,
    /// What is wrong with it.
    pub message: String,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It is stored, with these fields.
    Stored(Fields),
    /// A step left it out.
    Dropped,
    /// A step could not handle it.
    Failed(StepError),
}

/// Runs the steps over one received value.
pub fn apply(steps: &[Step], received: &Value) -> Outcome {
    let Value::Object(fields) = received else {
        return Outcome::Failed(StepError {
            step: 0,
            path: String::new(),
            value: shorten(received),
            message: "a record must be a JSON object".to_owned(),
        });
    };
    let mut fields = fields.clone();
    for (index, step) in steps.iter().enumerate() {
        let Step::Map(map) = step;
        match apply_map(map, fields) {
            Ok(mapped) => fields = mapped,
            Err(_) if map.on_error == OnError::Drop => return Outcome::Dropped,
            Err(error) => {
                return Outcome::Failed(StepError {
                    step: index + 1,
                    ..error
                });
            }
        }
    }
    Outcome::Stored(fields)
}

fn apply_map(map: &MapStep, mut fields: Fields) -> Result<Fields, StepError> {
    let mut mapped = Fields::new();
    for mapping in &map.fields {
        let Some(value) = mapping.from.get(&fields) else {
            continue;
        };
        let value = match mapping.cast {
            None => value.clone(),
            Some(wanted) => match cast(value, wanted) {
                Ok(value) => value,
                Err(_) if map.on_error == OnError::Keep => Value::Null,
                Err(error) => {
                    return Err(StepError {
                        step: 0,
                        path: mapping.from.to_string(),
                        message: error.to_string(),
                        value: error.value,
                    });
                }
            },
        };
        mapped.insert(mapping.to.clone(), value);
    }
    if map.keep_rest {
        for key in map
            .fields
            .iter()
            .filter_map(|mapping| mapping.from.top_level_key())
        {
            fields.shift_remove(key);
        }
        for (key, value) in fields {
            mapped.entry(key).or_insert(value);
        }
    }
    Ok(mapped)
}

/// What a stored record most likely was when it was received: each mapped field is put back where
/// it came from. Casts are not undone, and what the steps left out stays lost; good enough to
/// preview a change of the steps on records that are already stored.
pub fn undo(steps: &[Step], stored: &Fields) -> Fields {
    let mut fields = stored.clone();
    for Step::Map(map) in steps.iter().rev() {
        let mut before = Fields::new();
        for mapping in &map.fields {
            if let Some(value) = fields.shift_remove(&mapping.to) {
                mapping.from.put(&mut before, value);
            }
        }
        if map.keep_rest {
            before.extend(fields);
        }
        fields = before;
    }
    fields
}

/// Checks the steps of a pipeline before they are saved.
pub fn check_steps(steps: &[Step]) -> Result<(), Vec<Invalid>> {
    let mut problems = Vec::new();
    if steps.len() > MAX_STEPS {
        problems.push(Invalid::new(
            "steps",
            InvalidCode::TooLong,
            format!("A pipeline has at most {MAX_STEPS} steps."),
        ));
    }
    for (index, Step::Map(map)) in steps.iter().enumerate() {
        let at = format!("steps.{index}.fields");
        if map.fields.is_empty() && !map.keep_rest {
            problems.push(Invalid::new(
                &at,
                InvalidCode::Required,
                "Choose at least one field.",
            ));
        }
        if map.fields.len() > MAX_MAPPED_FIELDS {
            problems.push(Invalid::new(
                &at,
                InvalidCode::TooLong,
                format!("A step maps at most {MAX_MAPPED_FIELDS} fields."),
            ));
        }
        let mut names = std::collections::BTreeSet::new();
        for (place, mapping) in map.fields.iter().enumerate() {
            if let Err(message) = check_field_name(&mapping.to) {
                problems.push(Invalid::new(
                    &format!("{at}.{place}.to"),
                    InvalidCode::Invalid,
                    message,
                ));
            } else if !names.insert(&mapping.to) {
                problems.push(Invalid::new(
                    &format!("{at}.{place}.to"),
                    InvalidCode::Invalid,
                    format!(
                        "Two fields are called “{}”. Give one another name.",
                        mapping.to
                    ),
                ));
            }
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

/// Checks the name of a field that comes out of a step.
pub fn check_field_name(name: &str) -> Result<(), String> {
    if name.trim().is_empty() {
        return Err("Give the field a name.".to_owned());
    }
    if name.len() > 100 || name.contains(['.', '[', ']', '"']) || name.trim() != name {
        return Err(
            "A field name has at most 100 characters, and no dots, brackets or quotes.".to_owned(),
        );
    }
    Ok(())
}

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
fn tidy(path: &str) -> String {
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
    use super::*;
    use crate::fields::sample_fields;
    use proptest::prelude::*;
    use serde_json::json;

    fn map(fields: &[(&str, &str, Option<FieldType>)]) -> MapStep {
        MapStep {
            fields: fields
                .iter()
                .map(|(from, to, cast)| FieldMapping {
                    from: from.parse().unwrap(),
                    to: (*to).to_owned(),
                    cast: *cast,
                })
                .collect(),
            keep_rest: false,
            on_error: OnError::Fail,
        }
    }

    #[test]
    fn fields_are_selected_renamed_and_cast() {
        let step = map(&[
            ("total", "total_eur", Some(FieldType::Number)),
            ("customer.country", "country", None),
            ("missing", "missing", None),
        ]);
        let outcome = apply(
            &[Step::Map(step)],
            &json!({"total": "184.20", "customer": {"country": "DE"}, "note": "x"}),
        );
        let expected = json!({"total_eur": 184.2, "country": "DE"});
        assert_eq!(
            outcome,
            Outcome::Stored(expected.as_object().unwrap().clone())
        );
    }

    #[test]
    fn the_rest_is_kept_when_asked_for() {
        let step = MapStep {
            keep_rest: true,
            ..map(&[("a", "b", None)])
        };
        let outcome = apply(&[Step::Map(step)], &json!({"a": 1, "c": 2}));
        assert_eq!(
            outcome,
            Outcome::Stored(json!({"b": 1, "c": 2}).as_object().unwrap().clone())
        );
    }

    #[test]
    fn a_transform_gives_the_same_again_after_it_was_undone() {
        let received = json!({"total": "184.20", "customer": {"country": "DE"}, "note": "x"});
        for keep_rest in [false, true] {
            let steps = [Step::Map(MapStep {
                keep_rest,
                ..map(&[
                    ("total", "total_eur", Some(FieldType::Number)),
                    ("customer.country", "country", None),
                ])
            })];
            let Outcome::Stored(stored) = apply(&steps, &received) else {
                unreachable!("the record is stored")
            };
            let undone = undo(&steps, &stored);
            assert_eq!(undone.get("note").is_some(), keep_rest);
            assert_eq!(
                apply(&steps, &Value::Object(undone)),
                Outcome::Stored(stored)
            );
        }
    }

    #[test]
    fn a_failed_cast_follows_the_policy() {
        let received = json!({"total": "n/a", "id": 1});
        let run = |on_error| {
            let step = MapStep {
                on_error,
                ..map(&[("total", "t", Some(FieldType::Number))])
            };
            apply(&[Step::Map(step)], &received)
        };
        assert_eq!(run(OnError::Drop), Outcome::Dropped);
        assert_eq!(
            run(OnError::Keep),
            Outcome::Stored(json!({"t": null}).as_object().unwrap().clone())
        );
        let Outcome::Failed(error) = run(OnError::Fail) else {
            panic!("should fail")
        };
        assert_eq!((error.step, error.path.as_str()), (1, "total"));
        assert_eq!(error.message, "“n/a” is not a number");
    }

    #[test]
    fn what_is_no_object_fails_before_the_first_step() {
        for received in [json!(1), json!("x"), json!(null), json!([{}])] {
            assert!(matches!(
                apply(&[], &received),
                Outcome::Failed(StepError { step: 0, .. })
            ));
        }
    }

    #[test]
    fn steps_are_checked_before_they_are_saved() {
        let twice = map(&[("a", "x", None), ("b", "x", None)]);
        let problems = check_steps(&[Step::Map(twice)]).unwrap_err();
        assert_eq!(problems[0].field, ["steps", "0", "fields", "1", "to"]);
        assert!(check_steps(&[Step::Map(map(&[]))]).is_err());
        assert!(check_steps(&[]).is_ok());
    }

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

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::hash_map("[a-c.\\[\"]{0,3}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// Whatever comes in: no panic, and the suggestion for a sample applies to that sample.
        #[test]
        fn the_transform_is_total(received in any_json()) {
            let Some(fields) = received.as_object() else {
                prop_assert!(matches!(apply(&[], &received), Outcome::Failed(_)));
                return Ok(());
            };
            let mappings = suggest_mapping(&sample_fields([fields]));
            let step = Step::Map(MapStep {
                fields: mappings, keep_rest: true, on_error: OnError::Fail,
            });
            prop_assert!(check_steps(std::slice::from_ref(&step)).is_ok());
            let stored = matches!(apply(&[step], &received), Outcome::Stored(_));
            prop_assert!(stored);
        }
    }
}
