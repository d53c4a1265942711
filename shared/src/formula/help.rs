//! The functions in words, for help while typing: what they take, what they do, and an example
//! that the tests work out. Data only, so that it can be had without the language itself.

/// A function, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionHelp {
    /// Its name.
    pub name: &'static str,
    /// What it takes, as it is written between the parentheses.
    pub takes: &'static str,
    /// What it gives, in a few words.
    pub text: &'static str,
    /// A formula with it.
    pub example: &'static str,
    /// What that gives, as JSON; empty when it is another thing at each moment.
    pub result: &'static str,
}

const fn help(
    name: &'static str,
    takes: &'static str,
    text: &'static str,
    example: &'static str,
    result: &'static str,
) -> FunctionHelp {
    FunctionHelp {
        name,
        takes,
        text,
        example,
        result,
    }
}

/// All functions, those first that are wanted most.
pub const FUNCTIONS: &[FunctionHelp] = &[
    help(
        "if",
        "condition, yes, no",
        "One of two values",
        "if(3 > 2, 'yes', 'no')",
        r#""yes""#,
    ),
    help(
        "round",
        "number, digits",
        "Rounded to so many digits",
        "round(2.345, 2)",
        "2.35",
    ),
    help(
        "number",
        "text",
        "A text as a number",
        "number('12.5')",
        "12.5",
    ),
    help(
        "text",
        "value",
        "Anything as text",
        "text(12.5)",
        r#""12.5""#,
    ),
    help("len", "text or list", "The length", "len('Lyon')", "4"),
    help(
        "lower",
        "text",
        "In small letters",
        "lower('DE')",
        r#""de""#,
    ),
    help("upper", "text", "In capitals", "upper('de')", r#""DE""#),
    help(
        "trim",
        "text",
        "Without blanks around it",
        "trim('  x ')",
        r#""x""#,
    ),
    help(
        "contains",
        "text, part",
        "Whether a text or a list has it",
        "contains('Lyon', 'yo')",
        "true",
    ),
    help(
        "starts_with",
        "text, beginning",
        "Whether a text begins so",
        "starts_with('Lyon', 'Ly')",
        "true",
    ),
    help(
        "ends_with",
        "text, end",
        "Whether a text ends so",
        "ends_with('Lyon', 'on')",
        "true",
    ),
    help(
        "replace",
        "text, part, by",
        "One text instead of another, everywhere",
        "replace('a-b', '-', '+')",
        r#""a+b""#,
    ),
    help(
        "split",
        "text, divider",
        "The parts of a text",
        "split('a,b', ',')",
        r#"["a","b"]"#,
    ),
    help(
        "join",
        "list, divider",
        "A list as one text",
        "join(['a', 'b'], ', ')",
        r#""a, b""#,
    ),
    help(
        "left",
        "text, count",
        "The first characters",
        "left('Lyon', 2)",
        r#""Ly""#,
    ),
    help(
        "right",
        "text, count",
        "The last characters",
        "right('Lyon', 2)",
        r#""on""#,
    ),
    help(
        "slice",
        "text or list, from, to",
        "A part, counted from 0",
        "slice('Lyon', 1, 3)",
        r#""yo""#,
    ),
    help(
        "matches",
        "text, 'pattern'",
        "Whether a pattern is found",
        r"matches('A-17', '^[A-Z]-\d+$')",
        "true",
    ),
    help(
        "extract",
        "text, 'pattern'",
        "What a pattern, or its group, found",
        r"extract('A-17', '\d+')",
        r#""17""#,
    ),
    help(
        "boolean",
        "value",
        "A text or number as true or false",
        "boolean('yes')",
        "true",
    ),
    help(
        "type",
        "value",
        "What kind of value it is",
        "type([])",
        r#""list""#,
    ),
    help("abs", "number", "Without its sign", "abs(-3)", "3"),
    help(
        "floor",
        "number",
        "The next smaller whole number",
        "floor(2.7)",
        "2",
    ),
    help(
        "ceil",
        "number",
        "The next larger whole number",
        "ceil(2.1)",
        "3",
    ),
    help("sqrt", "number", "The square root", "sqrt(9)", "3"),
    help(
        "min",
        "a, b, …",
        "The smallest, also of one list",
        "min(3, 1, 2)",
        "1",
    ),
    help(
        "max",
        "a, b, …",
        "The largest, also of one list",
        "max([3, 1, 2])",
        "3",
    ),
    help("sum", "list", "The sum", "sum([1, 2, 3])", "6"),
    help("avg", "list", "The mean", "avg([1, 2, 3])", "2"),
    help(
        "count",
        "list, condition on #",
        "How many elements meet a condition",
        "count([1, 5], # > 2)",
        "1",
    ),
    help(
        "map",
        "list, formula of #",
        "A list of what each element becomes",
        "map([1, 2], # * 10)",
        "[10,20]",
    ),
    help(
        "filter",
        "list, condition on #",
        "The elements that meet a condition",
        "filter([1, 5], # > 2)",
        "[5]",
    ),
    help(
        "find",
        "list, condition on #",
        "The first element that meets a condition",
        "find([1, 5], # > 2)",
        "5",
    ),
    help(
        "any",
        "list, condition on #",
        "Whether one element meets a condition",
        "any([1, 5], # > 2)",
        "true",
    ),
    help(
        "all",
        "list, condition on #",
        "Whether all elements meet a condition",
        "all([1, 5], # > 2)",
        "false",
    ),
    help("first", "list", "The first element", "first([1, 2])", "1"),
    help("last", "list", "The last element", "last([1, 2])", "2"),
    help("sort", "list", "In order", "sort([2, 1])", "[1,2]"),
    help(
        "unique",
        "list",
        "Without repetitions",
        "unique([1, 1, 2])",
        "[1,2]",
    ),
    help(
        "reverse",
        "list",
        "From its end",
        "reverse([1, 2])",
        "[2,1]",
    ),
    help(
        "flat",
        "list",
        "The lists in a list, as one",
        "flat([[1], [2]])",
        "[1,2]",
    ),
    help(
        "range",
        "from, to",
        "The whole numbers between",
        "range(1, 3)",
        "[1,2,3]",
    ),
    help(
        "keys",
        "object",
        "The names of its fields",
        "keys({a: 1})",
        r#"["a"]"#,
    ),
    help(
        "values",
        "object",
        "The values of its fields",
        "values({a: 1})",
        "[1]",
    ),
    help(
        "merge",
        "a, b, …",
        "Objects as one; later ones win",
        "merge({a: 1}, {b: 2})",
        r#"{"a":1,"b":2}"#,
    ),
    help("now", "", "This moment", "now()", ""),
    help(
        "time",
        "value",
        "A time in one form",
        "time('2026-11-22')",
        r#""2026-11-22T00:00:00.000Z""#,
    ),
    help(
        "date",
        "time",
        "The date of a time",
        "date('2026-11-22T14:30:00Z')",
        r#""2026-11-22""#,
    ),
    help("year", "time", "The year", "year('2026-11-22')", "2026"),
    help(
        "month",
        "time",
        "The month, from 1",
        "month('2026-11-22')",
        "11",
    ),
    help(
        "day",
        "time",
        "The day of the month",
        "day('2026-11-22')",
        "22",
    ),
    help(
        "hour",
        "time",
        "The hour, in UTC",
        "hour('2026-11-22T14:30:00Z')",
        "14",
    ),
    help(
        "minute",
        "time",
        "The minute",
        "minute('2026-11-22T14:30:00Z')",
        "30",
    ),
    help(
        "weekday",
        "time",
        "The day of the week; Monday is 1",
        "weekday('2026-11-22')",
        "7",
    ),
    help(
        "unix",
        "time",
        "Seconds since 1970",
        "unix('1970-01-02')",
        "86400",
    ),
    help(
        "add_time",
        "time, count, 'unit'",
        "A time so much later",
        "add_time('2026-11-22', 1, 'days')",
        r#""2026-11-23T00:00:00.000Z""#,
    ),
    help(
        "time_between",
        "from, to, 'unit'",
        "How much time lies between",
        "time_between('2026-11-22', '2026-11-23', 'hours')",
        "24",
    ),
    help(
        "start_of",
        "time, 'unit'",
        "When the unit began that a time is in",
        "start_of('2026-11-22', 'month')",
        r#""2026-11-01T00:00:00.000Z""#,
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::fields::Fields;
    use crate::formula::{FUNCTION_NAMES, Formula, Meter};

    #[test]
    fn every_function_has_help() {
        let helped: BTreeSet<_> = FUNCTIONS.iter().map(|function| function.name).collect();
        assert_eq!(helped.len(), FUNCTIONS.len());
        assert_eq!(helped, FUNCTION_NAMES.iter().copied().collect());
    }

    #[test]
    fn the_examples_give_what_they_say() {
        for function in FUNCTIONS {
            let formula = Formula::compile(function.example).unwrap();
            let found = formula.value(&Fields::new(), 0, &Meter::for_record());
            if !function.result.is_empty() {
                let wanted: Value = serde_json::from_str(function.result).unwrap();
                assert_eq!(found, Ok(wanted), "{}", function.example);
            }
            assert!(function.example.starts_with(function.name));
        }
    }
}
