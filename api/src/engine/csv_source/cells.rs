//! What a cell of a CSV becomes: a number or a boolean where nothing is lost by it, null where there
//! is nothing, else text as it is.

use serde_json::{Number, Value};

/// As many digits write every floating-point number exactly; what has more is an identifier.
const MAX_NUMBER_DIGITS: usize = 17;

/// What a cell becomes.
pub(in crate::engine) fn value(cell: &str) -> Value {
    match cell {
        "" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => number(cell).map_or_else(|| cell.into(), Value::Number),
    }
}

/// The number that a cell is, if it is written as JSON writes one and turning it into one loses
/// nothing. Postal codes such as `01234` are no JSON; long identifiers have too many digits; and
/// `0E8` is an airport: what writes numbers with an exponent gives it a sign, or a point before.
fn number(cell: &str) -> Option<Number> {
    if !cell.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return None;
    }
    let (mantissa, exponent) = match cell.find(['e', 'E']) {
        Some(at) => cell.split_at_checked(at)?,
        None => (cell, ""),
    };
    let is_code = !exponent.is_empty() && !mantissa.contains('.') && !exponent.contains(['+', '-']);
    let digits = mantissa.bytes().filter(u8::is_ascii_digit);
    let significant = digits.skip_while(|digit| *digit == b'0').count();
    if is_code || significant > MAX_NUMBER_DIGITS {
        return None;
    }
    let number: Number = cell.parse().ok()?;
    // Too small a number would become zero.
    let is_kept = significant == 0 || number.as_f64().is_some_and(f64::is_normal);
    is_kept.then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_cell_becomes_a_number_only_if_nothing_is_lost() {
        let check = |cell: &str, expected: Value| assert_eq!(value(cell), expected, "{cell}");
        for (cell, expected) in [
            ("0", json!(0)),
            ("-12", json!(-12)),
            ("184.20", json!(184.2)),
            ("1e+21", json!(1e21)),
            ("1.5E3", json!(1500.0)),
            ("2e-07", json!(2e-7)),
            ("-0.0", json!(-0.0)),
            ("12345678901234567", json!(12_345_678_901_234_567_i64)),
            ("0.10000000000000001", json!(0.1)),
            ("0.000000000000000000012", json!(1.2e-20)),
        ] {
            check(cell, expected);
        }
        for text in [
            "01234",
            "-01",
            "00",
            "+1",
            "1.",
            ".5",
            "1,5",
            "1 000",
            " 1",
            "1 ",
            "-",
            "0x1F",
            "1_000",
            "0E8",
            "12e4",
            "123456789012345678",
            "0.100000000000000005",
            "1.5e999",
            "1.5e-999",
            "NaN",
            "Infinity",
            "-Infinity",
            "2026-11-22",
            "10.0.0.1",
            "True",
            "FALSE",
            "null",
            "NA",
            " ",
            "١٢",
        ] {
            check(text, json!(text));
        }
        check("", Value::Null);
        check("true", json!(true));
        check("false", json!(false));
    }
}
