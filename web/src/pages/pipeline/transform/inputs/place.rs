//! A step's document as its form sees it: values by their places, such as `fields.0.from`.

use std::collections::BTreeSet;

use dash_shared::fields::SampledField;
use leptos::prelude::*;
use serde_json::Value;

use super::super::checks::{put, value_at};
use super::super::desk::{Desk, Problem};

/// A step that is being edited.
#[derive(Clone, Copy)]
pub struct Place {
    /// What is edited.
    pub desk: Desk,
    /// The step.
    pub key: u32,
    /// The fields of the records that arrive at it.
    pub fields: Memo<Vec<SampledField>>,
    /// What is wrong with it.
    problems: Memo<Vec<Problem>>,
    /// The places whose problems are shown by an input.
    claimed: StoredValue<BTreeSet<String>>,
}

impl Place {
    /// A step on the desk.
    pub fn new(desk: Desk, key: u32) -> Self {
        Self {
            desk,
            key,
            fields: Memo::new(move |_| desk.fields_at(key)),
            problems: Memo::new(move |_| desk.problems_of(key)),
            claimed: StoredValue::new(BTreeSet::new()),
        }
    }

    /// What stands at a place.
    pub fn value(self, at: impl Into<String>) -> Memo<Option<Value>> {
        let at = at.into();
        Memo::new(move |_| {
            let document = self.desk.document(self.key)?;
            value_at(&document, &at).cloned()
        })
    }

    /// The text at a place; empty when there is none.
    pub fn text(self, at: impl Into<String>) -> Signal<String> {
        let value = self.value(at);
        Signal::derive(move || {
            value.with(|value| match value {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Null) | None => String::new(),
                Some(other) => other.to_string(),
            })
        })
    }

    /// Whether something is true; `otherwise` when nothing is said.
    pub fn flag(self, at: impl Into<String>, otherwise: bool) -> Signal<bool> {
        let value = self.value(at);
        Signal::derive(move || {
            value.with(|value| value.as_ref().and_then(Value::as_bool).unwrap_or(otherwise))
        })
    }

    /// How many items a list has.
    pub fn count(self, at: &'static str) -> Memo<usize> {
        Memo::new(move |_| {
            let document = self.desk.document(self.key);
            let list = document
                .as_deref()
                .and_then(|value| value_at(value, at)?.as_array());
            list.map_or(0, Vec::len)
        })
    }

    /// Puts a value at a place; none takes away what is there.
    pub fn set(self, at: &str, value: Option<Value>) {
        self.desk
            .edit(self.key, at, |document| put(document, at, value));
    }

    /// Puts a text at a place.
    pub fn set_text(self, at: &str, text: String) {
        self.set(at, Some(Value::String(text)));
    }

    /// Puts a text there; an empty one takes away what is there.
    pub fn set_or_remove(self, at: &str, text: String) {
        self.set(at, (!text.is_empty()).then_some(Value::String(text)));
    }

    /// Changes a list, which is made if there is none.
    pub fn change_list(self, at: &str, change: impl FnOnce(&mut Vec<Value>)) {
        // Each change of a list is one to undo.
        self.desk.edit(self.key, "", |document| {
            if value_at(document, at).is_none_or(|value| !value.is_array()) {
                put(document, at, Some(Value::Array(Vec::new())));
            }
            let mut list = match value_at(document, at) {
                Some(Value::Array(list)) => list.clone(),
                _ => return,
            };
            change(&mut list);
            put(document, at, Some(Value::Array(list)));
        });
    }

    /// What is wrong at a place, once it is to be said.
    pub fn error(self, at: impl Into<String>) -> Signal<Option<String>> {
        let at = at.into();
        self.claimed.update_value(|claimed| {
            claimed.insert(at.clone());
        });
        Signal::derive(move || {
            let insists = self.desk.insists.get();
            self.problems.with(|problems| {
                let here = problems
                    .iter()
                    .find(|problem| problem.at == at && (insists || !problem.is_missing));
                here.map(|problem| problem.message.clone())
            })
        })
    }

    /// What is wrong elsewhere in the step, where no input says it; followed.
    pub fn other_errors(self) -> Vec<String> {
        let insists = self.desk.insists.get();
        self.problems.with(|problems| {
            self.claimed.with_value(|claimed| {
                let others = problems.iter().filter(|problem| {
                    !claimed.contains(&problem.at) && (insists || !problem.is_missing)
                });
                others.map(|problem| problem.message.clone()).collect()
            })
        })
    }
}
