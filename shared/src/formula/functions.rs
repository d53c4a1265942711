//! The functions of the language: their names and what they take. What they do is in `texts`,
//! `lists` and `times`, and here for numbers.

use std::cmp::Ordering;

use super::eval::{Scope, eval};
use super::number::Number;
use super::problem::Problem;
use super::tree::{Each, Expr, PatternUse};
use super::value::Val;
use super::{lists, texts, times};

/// Any number of values.
const MANY: usize = 100;

/// What a name in front of parentheses means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// A function of values.
    Function(Function),
    /// Something about each element of a list.
    Each(Each),
    /// A regular expression.
    Pattern(PatternUse),
    /// A choice.
    If,
}

macro_rules! functions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $least:expr, $most:expr;)*) => {
        /// The functions of values.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Function {
            $($(#[$doc])* $variant,)*
        }

        impl Function {
            const fn arity(self) -> (usize, usize) {
                match self {
                    $(Self::$variant => ($least, $most),)*
                }
            }
        }

        fn function_named(name: &str) -> Option<Function> {
            match name {
                $($name => Some(Function::$variant),)*
                _ => None,
            }
        }

        /// The names of all functions, for help while typing.
        pub const FUNCTION_NAMES: &[&str] = &[
            $($name,)*
            "if", "map", "filter", "find", "any", "all", "count", "matches", "extract",
        ];
    };
}

functions! {
    /// The length of a text, a list or an object.
    Len = "len", 1, 1;
    /// A text in small letters.
    Lower = "lower", 1, 1;
    /// A text in capitals.
    Upper = "upper", 1, 1;
    /// A text without blanks around it.
    Trim = "trim", 1, 1;
    /// Whether a text or a list has something in it.
    Contains = "contains", 2, 2;
    /// Whether a text begins with another.
    StartsWith = "starts_with", 2, 2;
    /// Whether a text ends with another.
    EndsWith = "ends_with", 2, 2;
    /// A text with one text replaced by another everywhere.
    Replace = "replace", 3, 3;
    /// The parts of a text between a divider.
    Split = "split", 2, 2;
    /// The texts of a list, with a divider between them.
    Join = "join", 1, 2;
    /// A part of a text or a list: from a place, up to another.
    Slice = "slice", 2, 3;
    /// The first characters.
    Left = "left", 2, 2;
    /// The last characters.
    Right = "right", 2, 2;
    /// Anything as text.
    Text = "text", 1, 1;
    /// A text as a number.
    Number = "number", 1, 1;
    /// A text or number as true or false.
    Boolean = "boolean", 1, 1;
    /// What kind of value it is.
    Kind = "type", 1, 1;
    /// A number without its sign.
    Abs = "abs", 1, 1;
    /// A number rounded to so many digits.
    Round = "round", 1, 2;
    /// The next smaller whole number.
    Floor = "floor", 1, 1;
    /// The next larger whole number.
    Ceil = "ceil", 1, 1;
    /// The square root.
    Sqrt = "sqrt", 1, 1;
    /// The smallest of some values or of a list.
    Min = "min", 1, MANY;
    /// The largest of some values or of a list.
    Max = "max", 1, MANY;
    /// The sum of a list.
    Sum = "sum", 1, 1;
    /// The mean of a list.
    Avg = "avg", 1, 1;
    /// The first of a list.
    First = "first", 1, 1;
    /// The last of a list.
    Last = "last", 1, 1;
    /// A list in order.
    Sort = "sort", 1, 1;
    /// A list without repetitions.
    Unique = "unique", 1, 1;
    /// A list from its end.
    Reverse = "reverse", 1, 1;
    /// The lists in a list, as one.
    Flat = "flat", 1, 1;
    /// The whole numbers from one to another.
    Range = "range", 2, 2;
    /// The names of an object's fields.
    Keys = "keys", 1, 1;
    /// The values of an object's fields.
    Values = "values", 1, 1;
    /// Objects as one; later ones win.
    Merge = "merge", 0, MANY;
    /// This moment.
    Now = "now", 0, 0;
    /// A time in one form.
    Time = "time", 1, 1;
    /// The date of a time.
    Date = "date", 1, 1;
    /// The year of a time.
    Year = "year", 1, 1;
    /// The month of a time, from 1.
    Month = "month", 1, 1;
    /// The day of the month.
    Day = "day", 1, 1;
    /// The hour of a time.
    Hour = "hour", 1, 1;
    /// The minute of a time.
    Minute = "minute", 1, 1;
    /// The day of the week, from 1 for Monday.
    Weekday = "weekday", 1, 1;
    /// Seconds since 1970.
    Unix = "unix", 1, 1;
    /// A time so many units later.
    AddTime = "add_time", 3, 3;
    /// How many units lie between two times.
    TimeBetween = "time_between", 3, 3;
    /// When the unit began that a time is in.
    StartOf = "start_of", 2, 2;
}

/// What a name means.
pub fn named(name: &str) -> Option<Named> {
    Some(match name {
        "if" => Named::If,
        "map" => Named::Each(Each::Map),
        "filter" => Named::Each(Each::Filter),
        "find" => Named::Each(Each::Find),
        "any" => Named::Each(Each::Any),
        "all" => Named::Each(Each::All),
        "count" => Named::Each(Each::Count),
        "matches" => Named::Pattern(PatternUse::Matches),
        "extract" => Named::Pattern(PatternUse::Extract),
        _ => Named::Function(function_named(name)?),
    })
}

impl Named {
    /// How many values it takes, at least and at most.
    pub const fn arity(self) -> (usize, usize) {
        match self {
            Self::Function(function) => function.arity(),
            Self::Each(_) | Self::Pattern(_) => (2, 2),
            Self::If => (3, 3),
        }
    }
}

/// The values a function is called with, worked out as they are asked for. As many as it takes:
/// the parser has counted them.
#[derive(Debug)]
pub struct Arguments<'s, 'a> {
    rest: std::slice::Iter<'s, Expr>,
    scope: &'a Scope<'s>,
}

impl<'s> Arguments<'s, '_> {
    /// The next value.
    pub fn next(&mut self) -> Result<Val<'s>, Problem> {
        Ok(self.maybe()?.unwrap_or(Val::Null))
    }

    /// The next value, if there is one.
    pub fn maybe(&mut self) -> Result<Option<Val<'s>>, Problem> {
        self.rest
            .next()
            .map(|expr| eval(expr, self.scope))
            .transpose()
    }

    /// The next value, which is a whole number.
    pub fn whole(&mut self) -> Result<i64, Problem> {
        let value = self.next()?;
        match &value {
            Val::Number(number) => number.to_i64(),
            _ => None,
        }
        .ok_or_else(|| value.is_no("a whole number"))
    }

    fn rest(self) -> Result<Vec<Val<'s>>, Problem> {
        self.rest.map(|expr| eval(expr, self.scope)).collect()
    }
}

/// Works out a function of values.
pub fn call<'s>(
    function: Function,
    arguments: &'s [Expr],
    scope: &Scope<'s>,
) -> Result<Val<'s>, Problem> {
    use Function as F;
    let meter = scope.meter;
    let mut arguments = Arguments {
        rest: arguments.iter(),
        scope,
    };
    match function {
        F::Len
        | F::Contains
        | F::Slice
        | F::First
        | F::Last
        | F::Sort
        | F::Unique
        | F::Reverse
        | F::Flat
        | F::Range
        | F::Keys
        | F::Values => lists::call(function, &mut arguments, meter),
        F::Lower
        | F::Upper
        | F::Trim
        | F::StartsWith
        | F::EndsWith
        | F::Replace
        | F::Split
        | F::Join
        | F::Left
        | F::Right
        | F::Text
        | F::Number
        | F::Boolean => texts::call(function, &mut arguments, meter),
        F::Kind => Ok(Val::Text(arguments.next()?.kind().into())),
        F::Abs => map_number(&arguments.next()?, |number| Some(number.size())),
        F::Floor => map_number(&arguments.next()?, |number| Some(number.rounded_down())),
        F::Ceil => map_number(&arguments.next()?, |number| Some(number.rounded_up())),
        F::Sqrt => map_number(&arguments.next()?, |number| {
            Number::from_f64(number.to_f64().sqrt())
        }),
        F::Round => {
            let value = arguments.next()?;
            let digits = match arguments.maybe()? {
                None => 0,
                Some(Val::Number(number)) => number
                    .to_i64()
                    .and_then(|digits| u32::try_from(digits).ok())
                    .unwrap_or(0),
                Some(other) => return Err(other.is_no("a whole number")),
            };
            map_number(&value, |number| Some(number.rounded(digits)))
        }
        F::Min => extreme(arguments.rest()?, Ordering::Less, scope),
        F::Max => extreme(arguments.rest()?, Ordering::Greater, scope),
        F::Sum | F::Avg => sum(function == F::Avg, &arguments.next()?, scope),
        F::Merge => lists::merge(arguments.rest()?, meter),
        F::Now
        | F::Time
        | F::Date
        | F::Year
        | F::Month
        | F::Day
        | F::Hour
        | F::Minute
        | F::Weekday
        | F::Unix
        | F::AddTime
        | F::TimeBetween
        | F::StartOf => times::call(function, &mut arguments, scope.now_ms),
    }
}

fn map_number<'s>(
    value: &Val<'_>,
    with: impl FnOnce(Number) -> Option<Number>,
) -> Result<Val<'s>, Problem> {
    match value {
        Val::Null => Ok(Val::Null),
        Val::Number(number) => with(*number)
            .map(Val::Number)
            .ok_or_else(|| Problem::new(&value.shown(), "the result is no number")),
        other => Err(other.is_no("a number")),
    }
}

/// The first in order, or the last, of some values or of one list; nothing does not count.
fn extreme<'s>(
    mut values: Vec<Val<'s>>,
    wanted: Ordering,
    scope: &Scope<'s>,
) -> Result<Val<'s>, Problem> {
    if values.len() == 1 {
        let only = values.remove(0);
        let Val::List(items) = &only else {
            return Ok(only);
        };
        let mut best = Val::Null;
        for item in items.iter() {
            best = better(best, Val::of(item), wanted, scope)?;
        }
        return best.into_owned(scope.meter);
    }
    let mut best = Val::Null;
    for value in values {
        best = better(best, value, wanted, scope)?;
    }
    Ok(best)
}

fn better<'v>(
    best: Val<'v>,
    value: Val<'v>,
    wanted: Ordering,
    scope: &Scope<'_>,
) -> Result<Val<'v>, Problem> {
    scope.meter.step()?;
    Ok(match (&best, value.order(&best, scope.meter)?) {
        (Val::Null, _) => value,
        (_, Some(order)) if order == wanted => value,
        _ => best,
    })
}

/// The sum or the mean of a list of numbers; nothing does not count.
fn sum<'s>(mean: bool, list: &Val<'_>, scope: &Scope<'_>) -> Result<Val<'s>, Problem> {
    let items = match list {
        Val::Null => return Ok(Val::Null),
        Val::List(items) => items,
        other => return Err(other.is_no("a list")),
    };
    let (mut sum, mut count) = (Number::ZERO, 0_usize);
    for item in items.iter() {
        scope.meter.step()?;
        match Val::of(item) {
            Val::Null => {}
            Val::Number(number) => {
                sum = sum.plus(number).ok_or_else(too_large)?;
                count += 1;
            }
            other => return Err(other.is_no("a number")),
        }
    }
    if !mean {
        return Ok(Val::Number(sum));
    }
    Ok(sum.divided_by(count.into()).map_or(Val::Null, Val::Number))
}

/// The error of a result that no number holds.
pub fn too_large() -> Problem {
    Problem::new("", "the result is too large for a number")
}
