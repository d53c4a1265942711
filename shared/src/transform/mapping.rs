//! The mapping step: select, rename and cast fields in one go. It is the one step that the client
//! previews without the rest of the engine, so nothing here knows formulas.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check::Checker;
use super::definition::{Action, OnError, Step};
use super::outcome::{Fault, Outcome, StepError};
use crate::cast::cast;
use crate::fields::{FieldPath, FieldType, Fields};
use crate::{Invalid, InvalidCode};

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
}

impl FieldMapping {
    /// The field's value in a record, if that has one; `kept` takes the error of a value that does
    /// not fit its type and becomes null.
    pub(super) fn take_from(
        &self,
        fields: &Fields,
        kept: impl FnOnce(Fault) -> Result<(), Fault>,
    ) -> Result<Option<Value>, Fault> {
        let Some(value) = self.from.get(fields) else {
            return Ok(None);
        };
        let Some(wanted) = self.cast else {
            return Ok(Some(value.clone()));
        };
        match cast(value, wanted) {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                kept(Fault::of_cast(&self.from, error))?;
                Ok(Some(Value::Null))
            }
        }
    }
}

impl MapStep {
    /// What the step makes of a record.
    pub(super) fn run(
        &self,
        fields: &mut Cow<'_, Fields>,
        mut kept: impl FnMut(Fault) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut mapped = Fields::with_capacity(self.fields.len());
        for mapping in &self.fields {
            if let Some(value) = mapping.take_from(fields, &mut kept)? {
                mapped.insert(mapping.to.clone(), value);
            }
        }
        if self.keep_rest {
            let is_taken = |key: &str| {
                let mut taken = self
                    .fields
                    .iter()
                    .map(|mapping| mapping.from.top_level_key());
                taken.any(|taken| taken == Some(key))
            };
            for (key, value) in fields.iter().filter(|(key, _)| !is_taken(key)) {
                if !mapped.contains_key(key) {
                    mapped.insert(key.clone(), value.clone());
                }
            }
        }
        *fields = Cow::Owned(mapped);
        Ok(())
    }

    /// Checks the step before it is saved.
    pub(super) fn check(&self, checker: &mut Checker) {
        if self.fields.is_empty() && !self.keep_rest {
            checker.report(
                "fields",
                InvalidCode::Required,
                "Choose at least one field.",
            );
        }
        check_mappings(&self.fields, "fields", checker);
    }
}

/// Checks the names that a list of mappings gives.
pub(super) fn check_mappings(mappings: &[FieldMapping], at: &str, checker: &mut Checker) {
    checker.at_most(at, mappings.len(), super::MAX_STEP_FIELDS, "fields");
    let mut names = std::collections::BTreeSet::new();
    for (place, mapping) in mappings.iter().enumerate() {
        let at = format!("{at}.{place}.to");
        if let Err(message) = check_field_name(&mapping.to) {
            checker.report(&at, InvalidCode::Invalid, message);
        } else if !names.insert(&mapping.to) {
            let name = &mapping.to;
            let message = format!("Two fields are called “{name}”. Give one another name.");
            checker.report(&at, InvalidCode::Invalid, message);
        }
    }
}

/// Runs the mappings of a transform over one received value; what other steps do is left out.
pub fn apply(steps: &[Step], received: &Value) -> Outcome {
    let Value::Object(fields) = received else {
        return Outcome::Failed(StepError::no_record(received));
    };
    let mut fields = Cow::Borrowed(fields);
    for (step, number) in steps.iter().zip(1..) {
        let Action::Map(map) = &step.action else {
            continue;
        };
        let on_error = step.on_error;
        let kept = |fault| match on_error {
            OnError::Keep => Ok(()),
            OnError::Fail | OnError::Drop => Err(fault),
        };
        match map.run(&mut fields, kept) {
            Ok(()) => {}
            Err(_) if on_error == OnError::Drop => return Outcome::Dropped { step: number },
            Err(fault) => return Outcome::Failed(fault.at(number)),
        }
    }
    Outcome::Stored(fields.into_owned())
}

/// What a stored record most likely was when it was received: each mapped field is put back where
/// it came from. Casts are not undone, and what the steps left out stays lost; good enough to
/// preview a change of the mappings on records that are already stored.
pub fn undo(steps: &[Step], stored: &Fields) -> Fields {
    let mut fields = stored.clone();
    for step in steps.iter().rev() {
        let Action::Map(map) = &step.action else {
            continue;
        };
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

/// Checks the mappings of a transform; other steps are left out.
pub fn check_mapping_steps(steps: &[Step]) -> Result<(), Vec<Invalid>> {
    let mut checker = Checker::default();
    checker.at_most("steps", steps.len(), super::MAX_STEPS, "steps");
    for (index, step) in steps.iter().enumerate() {
        if let Action::Map(map) = &step.action {
            checker.under(&format!("steps.{index}"), |checker| map.check(checker));
        }
    }
    checker.finish()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::sample_fields;
    use crate::transform::suggest::suggest_mapping;
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
        }
    }

    fn step(map: MapStep) -> Step {
        Step {
            action: Action::Map(map),
            on_error: OnError::Fail,
        }
    }

    #[test]
    fn fields_are_selected_renamed_and_cast() {
        let total = map(&[
            ("total", "total_eur", Some(FieldType::Number)),
            ("customer.country", "country", None),
            ("missing", "missing", None),
        ]);
        let outcome = apply(
            &[step(total)],
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
        let renamed = MapStep {
            keep_rest: true,
            ..map(&[("a", "b", None)])
        };
        let outcome = apply(&[step(renamed)], &json!({"a": 1, "c": 2}));
        assert_eq!(
            outcome,
            Outcome::Stored(json!({"b": 1, "c": 2}).as_object().unwrap().clone())
        );
    }

    #[test]
    fn a_transform_gives_the_same_again_after_it_was_undone() {
        let received = json!({"total": "184.20", "customer": {"country": "DE"}, "note": "x"});
        for keep_rest in [false, true] {
            let steps = [step(MapStep {
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
            let step = Step {
                on_error,
                ..step(map(&[("total", "t", Some(FieldType::Number))]))
            };
            apply(&[step], &received)
        };
        assert_eq!(run(OnError::Drop), Outcome::Dropped { step: 1 });
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
        let problems = check_mapping_steps(&[step(twice)]).unwrap_err();
        assert_eq!(problems[0].field, ["steps", "0", "fields", "1", "to"]);
        assert!(check_mapping_steps(&[step(map(&[]))]).is_err());
        assert!(check_mapping_steps(&[]).is_ok());
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
            let step = step(MapStep {
                fields: mappings, keep_rest: true,
            });
            prop_assert!(check_mapping_steps(std::slice::from_ref(&step)).is_ok());
            let stored = matches!(apply(&[step], &received), Outcome::Stored(_));
            prop_assert!(stored);
        }
    }
}
