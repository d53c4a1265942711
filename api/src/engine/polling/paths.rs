//! Where in an answer its records are: paths into it, what they may cost, and where lists of records
//! look like being.

use dash_shared::sources::MAX_RECORDS_PER_RUN;
use serde_json::Value;
use serde_json_path::JsonPath;

use super::{FetchError, FetchErrorCode};
use crate::engine::answers::{Content, Format};

/// How deep records are looked for in a response.
const CANDIDATE_DEPTH: usize = 4;
/// How many places with records are offered.
const MAX_CANDIDATES: usize = 10;
/// How often a path may branch to several names or numbers.
const MAX_PATH_BRANCHES: usize = 4;

/// Checks a JSONPath; the error is a sentence.
pub fn check_records_path(path: &str) -> Result<(), String> {
    parse_path(path).map(drop).map_err(|error| error.message)
}

pub(in crate::engine) fn parse_path(path: &str) -> Result<JsonPath, FetchError> {
    if let Err(message) = check_path_cost(path) {
        return Err(FetchError::new(FetchErrorCode::InvalidPath, message));
    }
    JsonPath::parse(path).map_err(|error| {
        FetchError::new(
            FetchErrorCode::InvalidPath,
            format!("“{path}” is not a JSONPath like $.data or $.items[*]: {error}"),
        )
    })
}

/// Refuses paths whose answer can be far larger than the JSON that they are asked of: a path may
/// find the same value again and again, as often as it branches and descends.
fn check_path_cost(path: &str) -> Result<(), &'static str> {
    let outside = outside_of_strings(path);
    let count = |what: &str| outside.matches(what).count();
    let (descents, filters) = (count(".."), count("?"));
    if descents > 1 {
        Err("A records path has “..” at most once.")
    } else if filters > 0 && descents > 0 {
        Err("A records path has a filter or “..”, not both.")
    } else if filters > 0 && count("$") > 1 {
        Err("A filter in a records path looks at its own item (@), not at the whole answer ($).")
    } else if count(",") > MAX_PATH_BRANCHES {
        Err("A records path chooses among at most a few names or numbers.")
    } else {
        Ok(())
    }
}

/// A path without what is in quotes.
fn outside_of_strings(path: &str) -> String {
    let mut outside = String::with_capacity(path.len());
    let mut quote = None;
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(_), '\\') => drop(characters.next()),
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, _) => outside.push(character),
        }
    }
    outside
}

/// The records a path leads to: the items of the one array it finds, or all that it finds.
pub(super) fn select(path: &JsonPath, answer: Content) -> Result<Vec<Value>, FetchError> {
    let copied: Option<Vec<Value>> = match path.query(&answer.value).all().as_slice() {
        [] => return Err(no_records(answer.format)),
        // The whole answer is taken as it is.
        [whole] if std::ptr::eq(*whole, &raw const answer.value) => None,
        [Value::Array(items)] => Some(items.clone()),
        several => Some(several.iter().map(|value| (*value).clone()).collect()),
    };
    let records = match (copied, answer.value) {
        (Some(records), _) => records,
        (None, Value::Array(items)) => items,
        (None, record) => vec![record],
    };
    if records.len() > MAX_RECORDS_PER_RUN {
        return Err(FetchError::new(
            FetchErrorCode::TooLarge,
            format!(
                "The answer has {} records; a run takes at most {MAX_RECORDS_PER_RUN}. Ask for \
                 fewer, for example with a limit in the address.",
                records.len()
            ),
        ));
    }
    Ok(records)
}

fn no_records(format: Format) -> FetchError {
    let message = match format {
        Format::Json => {
            "The answer is JSON, but there is nothing under the records path. Test the source to \
             see where its records are."
        }
        Format::Ndjson => {
            "The answer is NDJSON, but there is nothing under the records path. Its lines are under \
             the path $."
        }
        Format::Csv => {
            "The answer is CSV, but there is nothing under the records path. The lines of a CSV \
             are under the path $."
        }
    };
    FetchError::new(FetchErrorCode::NoRecords, message)
}

/// Where in a response lists of objects are, each as a JSONPath, the longest list first.
pub(super) fn candidates(json: &Value) -> Vec<String> {
    let mut found = Vec::new();
    look_for_lists(json, "$".to_owned(), 0, &mut found);
    found.sort_by_key(|(length, path)| (std::cmp::Reverse(*length), path.len()));
    found
        .into_iter()
        .map(|(_, path)| path)
        .take(MAX_CANDIDATES)
        .collect()
}

fn look_for_lists(json: &Value, path: String, depth: usize, found: &mut Vec<(usize, String)>) {
    match json {
        Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_object) => {
            found.push((items.len(), path));
        }
        Value::Object(fields) if depth < CANDIDATE_DEPTH => {
            for (key, value) in fields.iter().take(100) {
                let plain = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                    && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
                let step = if plain {
                    format!(".{key}")
                } else {
                    format!("[{}]", Value::String(key.clone()))
                };
                look_for_lists(value, format!("{path}{step}"), depth + 1, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_that_multiply_what_they_find_are_refused() {
        for path in ["$..*..*", "$[0,0,0,0,0,0]", "$..[?@.a]", "$[?$.a == 1]"] {
            let refused = parse_path(path).map(drop).unwrap_err();
            assert_eq!(refused.code, FetchErrorCode::InvalidPath, "{path}");
        }
        for path in [
            "$..items[*]",
            "$[0, 1]",
            "$.a[?@.b == \"$..?,\"]",
            "$['a..b']['..']",
        ] {
            assert_eq!(parse_path(path).map(drop), Ok(()), "{path}");
        }
    }

    #[test]
    fn a_path_leads_to_a_list_or_to_each_record() {
        let json = json!({"data": {"items": [{"a": 1}, {"a": 2}]}, "one": {"a": 3}});
        let check = |path: &str, expected: Result<usize, FetchErrorCode>| {
            let answer = Content {
                format: Format::Json,
                value: json.clone(),
            };
            let found = parse_path(path).and_then(|path| select(&path, answer));
            assert_eq!(
                found.map(|r| r.len()).map_err(|error| error.code),
                expected,
                "{path}"
            );
        };
        check("$.data.items", Ok(2));
        check("$.data.items[*]", Ok(2));
        check("$.one", Ok(1));
        check("$", Ok(1));
        check("$.data.items[?@.a == 2]", Ok(1));
        check("$.nothing", Err(FetchErrorCode::NoRecords));
        check("data", Err(FetchErrorCode::InvalidPath));
    }

    #[test]
    fn the_lines_of_a_csv_are_a_list_at_the_root() {
        let check = |path: &str, expected: Result<usize, FetchErrorCode>| {
            let answer = Content {
                format: Format::Csv,
                value: json!([{"data": 1}, {"data": 2}]),
            };
            let found = select(&parse_path(path).unwrap(), answer);
            assert_eq!(
                found.map(|r| r.len()).map_err(|error| error.code),
                expected,
                "{path}"
            );
        };
        check("$", Ok(2));
        check("$[*]", Ok(2));
        check("$.data", Err(FetchErrorCode::NoRecords));
        check("$.features[*]", Err(FetchErrorCode::NoRecords));
    }

    #[test]
    fn lists_of_objects_are_found_the_longest_first() {
        let json = json!({
            "errors": [], "meta": {"tags": ["a"], "links": [{"x": 1}]},
            "odd key": [{"a": 1}, {"a": 2}, {"a": 3}],
        });
        let found = candidates(&json);
        assert_eq!(found, ["$[\"odd key\"]", "$.meta.links"]);
        assert!(found.iter().all(|path| JsonPath::parse(path).is_ok()));
        assert_eq!(candidates(&json!([{"a": 1}])), ["$"]);
        assert!(candidates(&json!({"a": 1})).is_empty());
    }
}
