//! A step in one line, as one would say it: “Keep records where total > 20”.

use dash_shared::plans::duration_text;
use serde_json::Value;

use super::checks::value_at;
use crate::format::plural;

/// How long a formula is quoted, in characters.
const MAX_QUOTED: usize = 60;

/// The line.
pub fn summary(step: &Value) -> String {
    let fields = list(step, "fields");
    let rows = rows(step, "fields");
    match text(step, "kind") {
        "map" => map(step, rows),
        "rename" => each(rows, "Rename", |row| {
            format!("{} to {}", text(row, "from"), text(row, "to"))
        }),
        "select" => named("Keep only", &fields),
        "drop" => named("Take away", &fields),
        "cast" => each(rows, "Turn", |row| {
            format!(
                "{} into {}",
                text(row, "field"),
                type_words(text(row, "type"))
            )
        }),
        "set" => each(rows, "Set", |row| {
            let value = row.get("value").cloned().unwrap_or_default();
            format!("{} to {}", text(row, "field"), short(&value.to_string()))
        }),
        "calculate" => each(rows, "Calculate", |row| {
            format!("{} = {}", text(row, "field"), short(text(row, "formula")))
        }),
        "filter" => filter(step),
        "explode" => match text(step, "field") {
            "" => "Make one record of each element of a list".to_owned(),
            field => format!("Make one record of each of {field}"),
        },
        "flatten" => match text(step, "field") {
            "" => "Make nested objects flat".to_owned(),
            field => format!("Make {field} flat"),
        },
        "parse_date" => format!("{} as {}", named("Read", &fields), date_words(step)),
        "deduplicate" => format!(
            "{} within {}",
            named("Leave out repeats of", &list(step, "keys")),
            seconds(step, "within_seconds", 86_400)
        ),
        "mask" => named("Hide most of", &fields),
        "hash" => named("Replace by a hash:", &fields),
        "script" => script(text(step, "source")),
        "window" => window(step),
        "lookup" => {
            let count = step
                .get("rows")
                .and_then(Value::as_array)
                .map_or(0, Vec::len);
            let rows = plural(i64::try_from(count).unwrap_or(i64::MAX), "row", "rows");
            format!(
                "Look up {} in a table of {rows}",
                or_a_field(text(step, "field"))
            )
        }
        "join" => {
            let taken = rows_of(step, "take")
                .map(|row| text(row, "to"))
                .collect::<Vec<_>>();
            format!("{} from another pipeline", named("Add", &taken))
        }
        other => format!("A step of the kind “{other}”"),
    }
}

fn map(step: &Value, rows: Vec<&Value>) -> String {
    let keeps_rest = step.get("keep_rest").and_then(Value::as_bool) == Some(true);
    let names: Vec<&str> = rows.iter().map(|row| text(row, "to")).collect();
    match (names.is_empty(), keeps_rest) {
        (true, true) => "Keep all fields as they are".to_owned(),
        (_, true) => format!("{} and keep the rest", named("Map", &names)),
        (_, false) => named("Map", &names),
    }
}

fn filter(step: &Value) -> String {
    let verb = match text(step, "matching") {
        "drop" => "Leave out",
        _ => "Keep",
    };
    if let Some(formula) = step.get("formula").and_then(Value::as_str) {
        return match formula.trim() {
            "" => format!("{verb} records that meet a formula"),
            formula => format!("{verb} records where {}", short(formula)),
        };
    }
    let between = match text(step, "combine") {
        "any" => " or ",
        _ => " and ",
    };
    let conditions: Vec<String> = rows_of(step, "conditions")
        .map(|row| {
            let value = text(row, "value");
            let field = or_a_field(text(row, "field"));
            match text(row, "comparison") {
                "equal" => format!("{field} is {value}"),
                "not_equal" => format!("{field} is not {value}"),
                "less" => format!("{field} < {value}"),
                "at_most" => format!("{field} ≤ {value}"),
                "greater" => format!("{field} > {value}"),
                "at_least" => format!("{field} ≥ {value}"),
                "contains" => format!("{field} contains {value}"),
                "exists" => format!("{field} has a value"),
                _ => format!("{field} has no value"),
            }
        })
        .collect();
    if conditions.is_empty() {
        return format!("{verb} records that meet conditions");
    }
    format!("{verb} records where {}", short(&conditions.join(between)))
}

fn window(step: &Value) -> String {
    let measures: Vec<&str> = rows_of(step, "measures")
        .map(|row| text(row, "to"))
        .collect();
    let groups = list(step, "group_by");
    let by = if groups.is_empty() {
        String::new()
    } else {
        format!(" by {}", groups.join(", "))
    };
    let every = seconds(step, "size_seconds", 0);
    format!("{}{by}, every {every}", named("Work out", &measures))
}

fn script(source: &str) -> String {
    let lines = source.lines().filter(|line| !line.trim().is_empty());
    let first = lines.clone().next().unwrap_or_default();
    match lines.count() {
        0 => "Run a script".to_owned(),
        1 => format!("Run {}", short(first.trim())),
        lines => format!("Run a script of {lines} lines"),
    }
}

fn date_words(step: &Value) -> &'static str {
    match text(step, "format") {
        "day_first" => "dates, the day first",
        "month_first" => "dates, the month first",
        "unix_seconds" => "seconds since 1970",
        "unix_milliseconds" => "milliseconds since 1970",
        _ if value_at(step, "format.pattern").is_some() => "dates of a pattern",
        _ => "dates",
    }
}

/// A type, after “into”.
pub fn type_words(word: &str) -> &'static str {
    match word {
        "number" => "a number",
        "boolean" => "true or false",
        "time" => "a time",
        _ => "text",
    }
}

fn seconds(step: &Value, at: &str, otherwise: u64) -> String {
    let seconds = step.get(at).and_then(Value::as_u64).unwrap_or(otherwise);
    duration_text(u32::try_from(seconds).unwrap_or(u32::MAX))
}

/// “Keep only id, country and 2 more”.
fn named(verb: &str, names: &[&str]) -> String {
    let known: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| !name.is_empty())
        .collect();
    match known.as_slice() {
        [] => format!("{verb} …"),
        all if all.len() <= 3 => format!("{verb} {}", all.join(", ")),
        [first, second, rest @ ..] => format!("{verb} {first}, {second} and {} more", rest.len()),
        [only] => format!("{verb} {only}"),
    }
}

/// The first row in words, and how many more there are.
fn each(rows: Vec<&Value>, verb: &str, words: impl Fn(&Value) -> String) -> String {
    match rows.as_slice() {
        [] => format!("{verb} …"),
        [only] => format!("{verb} {}", words(only)),
        [first, rest @ ..] => format!("{verb} {} and {} more", words(first), rest.len()),
    }
}

fn or_a_field(path: &str) -> &str {
    if path.is_empty() { "a field" } else { path }
}

fn text<'v>(value: &'v Value, at: &str) -> &'v str {
    value.get(at).and_then(Value::as_str).unwrap_or_default()
}

fn list<'v>(value: &'v Value, at: &str) -> Vec<&'v str> {
    let items = value.get(at).and_then(Value::as_array);
    items
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn rows_of<'v>(value: &'v Value, at: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    let items = value.get(at).and_then(Value::as_array);
    items.into_iter().flatten()
}

fn rows<'v>(value: &'v Value, at: &str) -> Vec<&'v Value> {
    rows_of(value, at).collect()
}

fn short(text: &str) -> String {
    let mut chars = text.chars();
    let start: String = chars.by_ref().take(MAX_QUOTED).collect();
    let start = start.replace('\n', " ");
    if chars.next().is_some() {
        format!("{}…", start.trim_end())
    } else {
        start
    }
}
