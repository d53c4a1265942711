//! Converting one JSON value to a field type. Total: every value either converts or is an error
//! that says which value it was.

use serde_json::{Number, Value};

use crate::fields::{FieldType, shorten};
use crate::{numbers, timestamps};

/// The value cannot be converted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{value}” is not {}", wanted.with_article())]
pub struct CastError {
    /// The value, shortened.
    pub value: String,
    /// What it should have become.
    pub wanted: FieldType,
}

/// Converts a value. Null stays null: a missing value is not a wrong one.
pub fn cast(value: &Value, wanted: FieldType) -> Result<Value, CastError> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    match wanted {
        FieldType::Text => Some(to_text(value)),
        FieldType::Number => to_number(value).map(Value::Number),
        FieldType::Boolean => to_boolean(value).map(Value::Bool),
        FieldType::Time => timestamps::parse_ms(value).map(|ms| timestamps::format_ms(ms).into()),
    }
    .ok_or_else(|| CastError {
        value: shorten(value),
        wanted,
    })
}

fn to_text(value: &Value) -> Value {
    match value {
        Value::String(_) => value.clone(),
        other => Value::String(other.to_string()),
    }
}

fn to_number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => {
            let text = text.trim();
            if let Ok(whole) = text.parse::<i64>() {
                return Some(whole.into());
            }
            Number::from_f64(numbers::exact(text)?)
        }
        _ => None,
    }
}

fn to_boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(value: Value, wanted: FieldType, expected: Result<Value, &str>) {
        let found = cast(&value, wanted).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{value}");
    }

    #[test]
    fn values_convert_or_say_why_not() {
        use FieldType::{Boolean, Number, Text, Time};
        check(json!("184.20"), Number, Ok(json!(184.2)));
        check(json!(" 42 "), Number, Ok(json!(42)));
        check(json!("n/a"), Number, Err("“n/a” is not a number"));
        check(json!("NaN"), Number, Err("“NaN” is not a number"));
        check(json!("1e999"), Number, Err("“1e999” is not a number"));
        check(json!(true), Number, Err("“true” is not a number"));
        check(json!([1]), Number, Err("“[1]” is not a number"));
        check(json!(null), Number, Ok(json!(null)));
        check(json!(4.5), Text, Ok(json!("4.5")));
        check(json!({"a": 1}), Text, Ok(json!("{\"a\":1}")));
        check(json!("Yes"), Boolean, Ok(json!(true)));
        check(json!(0), Boolean, Ok(json!(false)));
        check(json!(2), Boolean, Err("“2” is not true or false"));
        check(
            json!("2026-11-22"),
            Time,
            Ok(json!("2026-11-22T00:00:00.000Z")),
        );
        check(json!("soon"), Time, Err("“soon” is not a time"));
    }
}
