//! Add what a table says: pasted from a spreadsheet, or typed line by line.

use leptos::prelude::*;
use serde_json::Value;

use super::super::checks::put;
use super::super::inputs::{Place, field_input, switch};
use crate::components::{Field, TextArea};
use crate::format::plural;

pub fn form(place: Place) -> AnyView {
    let typed = RwSignal::new(String::new());
    let (columns, lines) = (place.value("columns"), place.value("rows"));
    let table = Memo::new(move |_| (columns.get(), lines.get()));
    Effect::new(move || {
        let now = table.get();
        let (columns, rows) = untrack(|| read(&typed.get()));
        if (Some(columns), Some(rows)) != now {
            typed.set(write(now.0.as_ref(), now.1.as_ref()));
        }
    });
    let on_input = Callback::new(move |text: String| {
        let (columns, rows) = read(&text);
        typed.set(text);
        place.desk.edit(place.key, "table", |document| {
            put(document, "columns", Some(columns));
            put(document, "rows", Some(rows));
        });
    });
    let of_columns = place.error("columns");
    let of_rows = place.error("rows");
    let error = Signal::derive(move || of_columns.get().or_else(|| of_rows.get()));
    let size = move || {
        let count = |value: &Option<Value>| {
            let count = value.as_ref().and_then(Value::as_array).map_or(0, Vec::len);
            i64::try_from(count).unwrap_or(i64::MAX)
        };
        table.with(|(columns, rows)| {
            format!(
                "{}, {}",
                plural(count(columns), "column", "columns"),
                plural(count(rows), "row", "rows")
            )
        })
    };
    view! {
        {field_input(place, "field", "Look up", Some("Its value is looked for in the first column."), false)}
        <Field
            label="Table"
            error
            hint="The first line has the names of the columns. Paste it from a spreadsheet, or separate values by commas."
        >
            <TextArea
                value=typed
                on_input
                rows=7
                mono=true
                placeholder="code, country\nDE, Germany\nCH, Switzerland"
                test_id="lookup-table"
            />
        </Field>
        <p class="field-hint num">{size}</p>
        <div class="stack">
            {switch(place, "ignore_case", "Small and capital letters are the same")}
            {switch(place, "required", "It is an error when a value is not in the table")}
        </div>
    }
    .into_any()
}

/// The names of the columns and the rows of a text, which is separated by tabs, semicolons or
/// commas, whichever its first line has.
fn read(text: &str) -> (Value, Value) {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    let divider = ['\t', ';', ',']
        .into_iter()
        .find(|divider| first.contains(*divider))
        .unwrap_or(',');
    let names: Vec<Value> = cells(first, divider)
        .into_iter()
        .filter(|(name, _)| !first.is_empty() || !name.is_empty())
        .map(|(name, _)| Value::String(name))
        .collect();
    let rows = lines.map(|line| {
        let cells = cells(line, divider).into_iter();
        Value::Array(cells.map(|(cell, quoted)| value(cell, quoted)).collect())
    });
    let rows = rows.collect();
    (Value::Array(names), Value::Array(rows))
}

/// The cells of a line, and whether each was in quotes. A quote is doubled inside of them.
fn cells(line: &str, divider: char) -> Vec<(String, bool)> {
    if line.is_empty() {
        return Vec::new();
    }
    let mut cells = Vec::new();
    let (mut cell, mut quoted, mut inside) = (String::new(), false, false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if inside && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if inside => inside = false,
            '"' if cell.trim().is_empty() => {
                cell.clear();
                (quoted, inside) = (true, true);
            }
            c if c == divider && !inside => {
                cells.push((finish(&cell, quoted), quoted));
                (cell, quoted) = (String::new(), false);
            }
            c => cell.push(c),
        }
    }
    cells.push((finish(&cell, quoted), quoted));
    cells
}

fn finish(cell: &str, quoted: bool) -> String {
    if quoted {
        cell.to_owned()
    } else {
        cell.trim().to_owned()
    }
}

/// A number, true, false and nothing are what they look like, unless they are in quotes.
fn value(cell: String, quoted: bool) -> Value {
    if quoted {
        return Value::String(cell);
    }
    let read = serde_json::from_str::<Value>(&cell).ok();
    // What is written in another way than it was read stays a text: 1.50 would lose its zero.
    let is_same = |value: &Value| value.to_string().as_str() == cell && !value.is_string();
    let plain = read.filter(|value| !value.is_array() && !value.is_object());
    plain.filter(is_same).unwrap_or(Value::String(cell))
}

fn write(columns: Option<&Value>, rows: Option<&Value>) -> String {
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let names = list(columns);
    if names.is_empty() {
        return String::new();
    }
    let line = |cells: Vec<Value>| {
        let cells = cells.iter().map(cell).collect::<Vec<_>>();
        cells.join(", ")
    };
    let mut lines = vec![line(names)];
    lines.extend(list(rows).iter().map(|row| line(list(Some(row)))));
    lines.join("\n")
}

fn cell(value: &Value) -> String {
    let Value::String(text) = value else {
        return value.to_string();
    };
    let is_plain = !text.contains(['"', ',', ';', '\t'])
        && text.trim() == text
        && self::value(text.clone(), false).is_string();
    if is_plain {
        text.clone()
    } else {
        format!("\"{}\"", text.replace('"', "\"\""))
    }
}
