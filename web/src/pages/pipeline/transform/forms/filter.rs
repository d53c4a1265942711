//! Filter: by comparisons, or by a formula.

use leptos::prelude::*;
use serde_json::{Value, json};

use super::super::engine::Language;
use super::super::formula::source_input;
use super::super::inputs::{Place, Rows, field_box, rows, segments};
use crate::components::{Choice, Input, Segmented, Select, SelectOption};

/// The comparisons, and whether they take a value.
const COMPARISONS: [(&str, &str); 9] = [
    ("equal", "is"),
    ("not_equal", "is not"),
    ("greater", "is more than"),
    ("at_least", "is at least"),
    ("less", "is less than"),
    ("at_most", "is at most"),
    ("contains", "contains"),
    ("exists", "has a value"),
    ("missing", "has no value"),
];

pub fn form(place: Place) -> AnyView {
    let formula = place.value("formula");
    let by_formula = Memo::new(move |_| formula.with(Option::is_some));
    let change = Callback::new(move |way: String| {
        place.desk.edit(place.key, "", |document| {
            let Some(fields) = document.as_object_mut() else {
                return;
            };
            if way == "formula" {
                fields.shift_remove("conditions");
                fields.shift_remove("combine");
                fields.entry("formula").or_insert_with(|| "".into());
            } else {
                fields.shift_remove("formula");
                fields
                    .entry("conditions")
                    .or_insert_with(|| json!([blank()]));
            }
        });
    });
    let way = Signal::derive(move || {
        let word = if by_formula.get() {
            "formula"
        } else {
            "conditions"
        };
        word.to_owned()
    });
    let ways = vec![
        Choice::new("conditions", "Conditions"),
        Choice::new("formula", "Formula"),
    ];
    let inputs = move || {
        if by_formula.get() {
            let label = "Records for which this is true".to_owned();
            view! {
                <p class="work-label">"Records for which this is true"</p>
                {source_input(place, "formula".to_owned(), label, Language::Formula)}
            }
            .into_any()
        } else {
            view! {
                {segments(place, "combine", "How conditions are combined", &[
                    ("all", "All of these"),
                    ("any", "One of these"),
                ])}
                {rows(place, Rows {
                    at: "conditions",
                    noun: "condition",
                    heads: &["Field", "Comparison", "Value"],
                    blank,
                    inputs: condition,
                    told: &["field", "value"],
                    is_ordered: false,
                })}
            }
            .into_any()
        }
    };
    view! {
        <div class="row">
            {segments(place, "matching", "What happens to records that match", &[
                ("keep", "Keep what matches"),
                ("drop", "Leave out what matches"),
            ])}
            <Segmented label="How records are chosen" choices=ways value=way on_change=change/>
        </div>
        {inputs}
    }
    .into_any()
}

fn blank() -> Value {
    json!({ "field": "", "comparison": "equal", "value": "" })
}

fn condition(place: Place, at: String, number: usize) -> AnyView {
    let comparison_at = format!("{at}.comparison");
    let comparison = place.text(comparison_at.clone());
    let takes_value =
        Memo::new(move |_| comparison.with(|word| !matches!(word.as_str(), "exists" | "missing")));
    let value_at = format!("{at}.value");
    let value = place.text(value_at.clone());
    let (own, cleared) = (comparison_at, value_at.clone());
    let on_change = Callback::new(move |word: String| {
        if matches!(word.as_str(), "exists" | "missing") {
            place.set(&cleared, None);
        }
        place.set_text(&own, word);
    });
    let on_input = Callback::new(move |text: String| place.set_text(&value_at, text));
    let options: Vec<SelectOption> = COMPARISONS
        .into_iter()
        .map(|(word, words)| SelectOption::new(word, words))
        .collect();
    view! {
        {field_box(place, format!("{at}.field"), format!("Field of condition {number}"))}
        <Select
            value=comparison
            on_change
            options
            label=format!("Comparison of condition {number}")
            test_id="condition-comparison"
        />
        <Show when=move || takes_value.get()>
            <Input
                value
                on_input
                label=format!("Value of condition {number}")
                placeholder="Value"
                test_id="condition-value"
            />
        </Show>
    }
    .into_any()
}
