//! What the mapping table edits: the rows of one field-mapping step as signals, how they are
//! filled from a pipeline or from a sample, and how they become steps again.

use std::collections::BTreeSet;

use dash_shared::fields::{FieldType, SampledField};
use dash_shared::transform::mapping::{FieldMapping, MapStep, check_mapping_steps};
use dash_shared::transform::suggest::{suggest_mapping, suggest_time_field};
use dash_shared::transform::{Action, OnError, Step};
use dash_shared::{Invalid, InvalidCode};
use leptos::prelude::*;

/// One row of the table: a field that is or can be mapped.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What tells it apart from the other rows.
    pub key: usize,
    /// Whether it is mapped.
    pub on: RwSignal<bool>,
    /// The path it takes from, as it was typed or sampled.
    pub from: RwSignal<String>,
    /// The name it gets.
    pub to: RwSignal<String>,
    /// The type it is converted to.
    pub cast: RwSignal<Option<FieldType>>,
    /// Whether a person added it, so that its path can be edited.
    pub by_hand: bool,
}

/// The step that is being edited.
#[derive(Clone, Copy, Debug)]
pub struct MapDraft {
    /// The rows, in the order of the fields that come out.
    pub rows: RwSignal<Vec<Row>>,
    /// Whether fields without a row that is on are kept.
    pub keep_rest: RwSignal<bool>,
    /// What happens when a value does not fit its type.
    pub on_error: RwSignal<OnError>,
    /// The field that says when a record happened.
    pub time_field: RwSignal<Option<String>>,
    next_key: StoredValue<usize>,
    /// Rows live as long as the draft, wherever they are added from.
    owner: StoredValue<Owner>,
}

impl MapDraft {
    /// A draft that leaves records as they are.
    pub fn new() -> Self {
        Self {
            rows: RwSignal::new(Vec::new()),
            keep_rest: RwSignal::new(true),
            on_error: RwSignal::new(OnError::Fail),
            time_field: RwSignal::new(None),
            next_key: StoredValue::new(0),
            owner: StoredValue::new(Owner::current().unwrap_or_default()),
        }
    }

    /// Adds a row, not on, for each sampled field that no row takes from yet.
    pub fn offer(&self, sample: &[SampledField]) {
        let taken: BTreeSet<String> = self
            .rows
            .get_untracked()
            .iter()
            .map(|row| row.from.get_untracked())
            .collect();
        let offered: Vec<Row> = with_names(sample)
            .into_iter()
            .filter(|mapping| !taken.contains(mapping.from.as_str()))
            .map(|mapping| self.row(&mapping, false, false))
            .collect();
        if !offered.is_empty() {
            self.rows.update(|rows| rows.extend(offered));
        }
    }

    /// Replaces everything by what the sample suggests.
    pub fn suggest(&self, sample: &[SampledField]) {
        let suggested = suggest_mapping(sample);
        self.time_field
            .set(suggest_time_field(&suggested).map(str::to_owned));
        self.keep_rest.set(suggested.is_empty());
        let rows = suggested
            .iter()
            .map(|mapping| self.row(mapping, true, false))
            .collect();
        self.rows.set(rows);
        self.offer(sample);
    }

    /// Adds an empty row to fill in by hand.
    pub fn add_row(&self) {
        let row = self.blank(true, true);
        self.rows.update(|rows| rows.push(row));
    }

    /// Takes a row away.
    pub fn remove(&self, key: usize) {
        self.rows.update(|rows| rows.retain(|row| row.key != key));
    }

    /// Moves a row one place up or down.
    pub fn shift(&self, key: usize, down: bool) {
        self.rows.update(|rows| {
            let Some(at) = rows.iter().position(|row| row.key == key) else {
                return;
            };
            let other = if down { at + 1 } else { at.wrapping_sub(1) };
            if other < rows.len() {
                rows.swap(at, other);
            }
        });
    }

    /// The rows that are on, as a step; rows whose path cannot be read are left out. For previews.
    pub fn preview(&self) -> Vec<Step> {
        let fields: Vec<FieldMapping> = self.on_rows().iter().filter_map(Row::mapping).collect();
        self.finish(fields)
    }

    /// The steps to save, or what is wrong with them; field paths count the rows that are on.
    pub fn steps(&self) -> Result<Vec<Step>, Vec<Invalid>> {
        let rows = self.on_rows();
        let mut fields = Vec::with_capacity(rows.len());
        let mut problems = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            match row.mapping() {
                Some(mapping) => fields.push(mapping),
                None => problems.push(Invalid::new(
                    &format!("steps.0.fields.{index}.from"),
                    InvalidCode::Invalid,
                    "Write a path like customer.country or items[0].price.",
                )),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let steps = self.finish(fields);
        check_mapping_steps(&steps)?;
        Ok(steps)
    }

    /// The rows that are on; reading it follows every one of them.
    pub fn on_rows(&self) -> Vec<Row> {
        self.rows
            .get()
            .into_iter()
            .filter(|row| row.on.get())
            .collect()
    }

    fn finish(&self, fields: Vec<FieldMapping>) -> Vec<Step> {
        let keep_rest = self.keep_rest.get();
        if fields.is_empty() && keep_rest {
            return Vec::new();
        }
        vec![Step {
            action: Action::Map(MapStep { fields, keep_rest }),
            on_error: self.on_error.get(),
        }]
    }

    fn blank(&self, on: bool, by_hand: bool) -> Row {
        let key = self.next_key.get_value();
        self.next_key.set_value(key + 1);
        self.owner.with_value(|owner| {
            owner.with(|| Row {
                key,
                on: RwSignal::new(on),
                from: RwSignal::new(String::new()),
                to: RwSignal::new(String::new()),
                cast: RwSignal::new(None),
                by_hand,
            })
        })
    }

    fn row(&self, mapping: &FieldMapping, on: bool, by_hand: bool) -> Row {
        let row = self.blank(on, by_hand);
        row.from.set(mapping.from.to_string());
        row.to.set(mapping.to.clone());
        row.cast.set(mapping.cast);
        row
    }
}

impl Row {
    fn mapping(&self) -> Option<FieldMapping> {
        Some(FieldMapping {
            from: self.from.get().parse().ok()?,
            to: self.to.get().trim().to_owned(),
            cast: self.cast.get(),
        })
    }
}

/// Every sampled field with a name: the suggested one, or the last key of its path.
fn with_names(sample: &[SampledField]) -> Vec<FieldMapping> {
    let suggested = suggest_mapping(sample);
    sample
        .iter()
        .map(|field| {
            let known = suggested.iter().find(|mapping| mapping.from == field.path);
            known.cloned().unwrap_or_else(|| FieldMapping {
                from: field.path.clone(),
                to: field.path.last_key().replace(['.', '[', ']', '"'], "_"),
                cast: None,
            })
        })
        .collect()
}
