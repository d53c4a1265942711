//! The values a formula works with. They borrow from the record as long as they can: reading a
//! field copies nothing.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Deref;

use serde_json::Value;

use super::meter::Meter;
use super::number::Number;
use super::problem::Problem;
use crate::fields::{Fields, shorten};

/// How deep lists and objects may be put into each other.
pub const MAX_VALUE_DEPTH: usize = 64;

/// A value while a formula is worked out.
#[derive(Clone, Debug)]
pub enum Val<'r> {
    /// Nothing: what is missing, too.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(Cow<'r, str>),
    /// A list.
    List(Cow<'r, [Value]>),
    /// An object.
    Object(Object<'r>),
}

/// An object, borrowed or made on the way. Small, because values are moved about all the time.
#[derive(Clone, Debug)]
pub enum Object<'r> {
    /// A part of the record.
    Borrowed(&'r Fields),
    /// One that was made.
    Owned(Box<Fields>),
}

impl Deref for Object<'_> {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        match self {
            Self::Borrowed(fields) => fields,
            Self::Owned(fields) => fields,
        }
    }
}

impl Object<'_> {
    /// The fields, copied if they are only borrowed.
    pub fn into_owned(self) -> Fields {
        match self {
            Self::Borrowed(fields) => fields.clone(),
            Self::Owned(fields) => *fields,
        }
    }
}

impl<'r> Val<'r> {
    /// The value that JSON has, borrowed.
    pub fn of(value: &'r Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(Number::from_json(number)),
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            Value::Array(items) => Self::List(Cow::Borrowed(items)),
            Value::Object(fields) => Self::Object(Object::Borrowed(fields)),
        }
    }

    /// The value that JSON has, owned.
    pub fn owned(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => Self::Number(Number::from_json(&number)),
            Value::String(text) => Self::Text(Cow::Owned(text)),
            Value::Array(items) => Self::List(Cow::Owned(items)),
            Value::Object(fields) => Self::object(fields),
        }
    }

    /// A text of its own.
    pub const fn text(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }

    /// A list of its own.
    pub const fn list(items: Vec<Value>) -> Self {
        Self::List(Cow::Owned(items))
    }

    /// An object of its own.
    pub fn object(fields: Fields) -> Self {
        Self::Object(Object::Owned(Box::new(fields)))
    }

    /// The same value, borrowed from this one.
    pub fn by_ref(&self) -> Val<'_> {
        match self {
            Self::Null => Val::Null,
            Self::Bool(value) => Val::Bool(*value),
            Self::Number(number) => Val::Number(*number),
            Self::Text(text) => Val::Text(Cow::Borrowed(text)),
            Self::List(items) => Val::List(Cow::Borrowed(items)),
            Self::Object(fields) => Val::Object(Object::Borrowed(fields)),
        }
    }

    /// The value as JSON. What has to be copied for that is paid for.
    pub fn into_json(self, meter: &Meter) -> Result<Value, Problem> {
        match &self {
            Self::Text(Cow::Borrowed(text)) => meter.take(text.len())?,
            Self::List(Cow::Borrowed(items)) => {
                for item in *items {
                    meter.take_copy_of(item)?;
                }
            }
            Self::Object(Object::Borrowed(fields)) => meter.take_copy_of_fields(fields)?,
            _ => {}
        }
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Number(number) => number.to_json().map_or(Value::Null, Value::Number),
            Self::Text(text) => Value::String(text.into_owned()),
            Self::List(items) => Value::Array(items.into_owned()),
            Self::Object(fields) => Value::Object(fields.into_owned()),
        })
    }

    /// The value as JSON that is put into a list or an object, which must not get too deep.
    pub fn into_part(self, meter: &Meter) -> Result<Value, Problem> {
        let value = self.into_json(meter)?;
        if matches!(value, Value::Array(_) | Value::Object(_)) {
            check_depth(&value, MAX_VALUE_DEPTH, meter)?;
        }
        Ok(value)
    }

    /// The value without what it borrows. What has to be copied for that is paid for.
    pub fn into_owned(self, meter: &Meter) -> Result<Val<'static>, Problem> {
        Ok(match self {
            Self::Null => Val::Null,
            Self::Bool(value) => Val::Bool(value),
            Self::Number(number) => Val::Number(number),
            other => Val::owned(other.into_json(meter)?),
        })
    }

    /// What kind of value it is, in the words of the language.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) => "text",
            Self::List(_) => "list",
            Self::Object(_) => "object",
        }
    }

    /// The value as a few words for a message.
    pub fn shown(&self) -> String {
        match self {
            Self::Null => "nothing".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => number.to_string(),
            // Only the beginning is needed, however long it is.
            Self::Text(text) => shorten(&Value::String(text.chars().take(100).collect())),
            Self::List(items) => format!("a list of {}", items.len()),
            Self::Object(fields) => format!("an object of {} fields", fields.len()),
        }
    }

    /// Whether a condition with this value is met; nothing is as good as no.
    pub fn truth(&self) -> Result<bool, Problem> {
        match self {
            Self::Null => Ok(false),
            Self::Bool(value) => Ok(*value),
            other => Err(other.is_no("true or false")),
        }
    }

    /// The error that this value is not what is needed.
    pub fn is_no(&self, wanted: &str) -> Problem {
        let hint = match (self, wanted) {
            (Self::Text(_), "a number") => "; number(…) makes one of a text",
            (Self::Number(_) | Self::Bool(_), "text") => "; text(…) makes one",
            _ => "",
        };
        let shown = self.shown();
        Problem::new(&shown, format!("“{shown}” is not {wanted}{hint}"))
    }

    /// Whether two values are the same. A text never equals a number.
    pub fn equals(&self, other: &Val<'_>, meter: &Meter) -> Result<bool, Problem> {
        Ok(match (self, other) {
            (Self::Null, Val::Null) => true,
            (Self::Bool(a), Val::Bool(b)) => a == b,
            (Self::Number(a), Val::Number(b)) => a == b,
            (Self::Text(a), Val::Text(b)) => {
                meter.work(a.len().min(b.len()))?;
                a == b
            }
            (Self::List(a), Val::List(b)) => {
                a.len() == b.len() && {
                    let mut same = true;
                    for (a, b) in a.iter().zip(b.iter()) {
                        meter.step()?;
                        same = same && Val::of(a).equals(&Val::of(b), meter)?;
                    }
                    same
                }
            }
            (Self::Object(a), Val::Object(b)) => {
                a.len() == b.len() && {
                    let mut same = true;
                    for (key, a) in a.iter() {
                        meter.step()?;
                        let b = b.get(key).map(Val::of);
                        same = same && b.map_or(Ok(false), |b| Val::of(a).equals(&b, meter))?;
                    }
                    same
                }
            }
            _ => false,
        })
    }

    /// Which of two numbers or texts comes first; none when one of them is nothing.
    pub fn order(&self, other: &Val<'_>, meter: &Meter) -> Result<Option<Ordering>, Problem> {
        match (self, other) {
            (Self::Null, _) | (_, Val::Null) => Ok(None),
            (Self::Number(a), Val::Number(b)) => Ok(Some(a.cmp(b))),
            (Self::Text(a), Val::Text(b)) => {
                meter.work(a.len().min(b.len()))?;
                Ok(Some(a.cmp(b)))
            }
            (Self::Number(_), other) => Err(other.is_no("a number")),
            // People forget to make a number of a text, hardly the other way round.
            (text @ Self::Text(_), Val::Number(_)) => Err(text.is_no("a number")),
            (Self::Text(_), other) => Err(other.is_no("text")),
            (this, _) => Err(this.is_no("a number or text")),
        }
    }
}

/// Refuses a value that has more levels than this. Never goes deeper than that itself.
fn check_depth(value: &Value, left: usize, meter: &Meter) -> Result<(), Problem> {
    let too_deep = || {
        Problem::new(
            "",
            format!("there are at most {MAX_VALUE_DEPTH} levels of lists and objects"),
        )
    };
    meter.step()?;
    match value {
        Value::Array(items) => {
            let left = left.checked_sub(1).ok_or_else(too_deep)?;
            items
                .iter()
                .try_for_each(|item| check_depth(item, left, meter))
        }
        Value::Object(fields) => {
            let left = left.checked_sub(1).ok_or_else(too_deep)?;
            fields
                .values()
                .try_for_each(|value| check_depth(value, left, meter))
        }
        _ => Ok(()),
    }
}
