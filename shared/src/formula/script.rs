//! Scripts: statements around formulas. A script may change the record, leave it out, or make
//! other records of it; it always ends.

use serde_json::Value;

use super::eval::{Scope, eval, place_in};
use super::meter::Meter;
use super::problem::{Problem, SyntaxError};
use super::tree::{Accessor, Base, Expr, Statement};
use super::value::{MAX_VALUE_DEPTH, Val};
use super::{MAX_SCRIPT_BYTES, check_length, parser};
use crate::fields::{Fields, MAX_PATH_DEPTH, MAX_WRITTEN_INDEX};

/// A script, ready to run.
#[derive(Clone, Debug)]
pub struct Script {
    statements: Vec<Statement>,
    locals: usize,
}

/// What a script makes of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Returned {
    /// This one.
    One(Fields),
    /// These.
    Many(Vec<Fields>),
    /// Nothing: it is left out.
    Nothing,
}

/// What comes after a statement.
enum Next {
    Go,
    Return(Value),
    Drop,
}

impl Script {
    /// Reads a script.
    pub fn compile(source: &str) -> Result<Self, SyntaxError> {
        check_length(source, MAX_SCRIPT_BYTES)?;
        let (statements, locals) = parser::script(source)?;
        Ok(Self { statements, locals })
    }

    /// Runs it over a record.
    pub fn run(&self, record: &Fields, now_ms: i64, meter: &Meter) -> Result<Returned, Problem> {
        meter.take_copy_of_fields(record)?;
        let mut running = Running {
            record: record.clone(),
            locals: vec![Val::Null; self.locals],
            now_ms,
            meter,
        };
        match running.block(&self.statements)? {
            Next::Go => Ok(Returned::One(running.record)),
            Next::Drop | Next::Return(Value::Null) => Ok(Returned::Nothing),
            Next::Return(Value::Object(fields)) => Ok(Returned::One(fields)),
            Next::Return(Value::Array(items)) => items
                .into_iter()
                .map(|item| match item {
                    Value::Object(fields) => Ok(fields),
                    other => Err(Val::of(&other).is_no("a record")),
                })
                .collect::<Result<_, _>>()
                .map(Returned::Many),
            Next::Return(other) => {
                Err(Val::of(&other).is_no("a record, a list of records or null"))
            }
        }
    }
}

struct Running<'m> {
    record: Fields,
    locals: Vec<Val<'static>>,
    now_ms: i64,
    meter: &'m Meter,
}

impl Running<'_> {
    fn scope(&self) -> Scope<'_> {
        Scope {
            record: &self.record,
            locals: &self.locals,
            element: None,
            now_ms: self.now_ms,
            meter: self.meter,
        }
    }

    fn block(&mut self, statements: &[Statement]) -> Result<Next, Problem> {
        for statement in statements {
            match self.statement(statement)? {
                Next::Go => {}
                end => return Ok(end),
            }
        }
        Ok(Next::Go)
    }

    fn statement(&mut self, statement: &Statement) -> Result<Next, Problem> {
        self.meter.step()?;
        match statement {
            Statement::Let(place, value) => self.set_local(*place, value)?,
            Statement::Assign(Base::Local(place), accessors, value) if accessors.is_empty() => {
                self.set_local(*place, value)?;
            }
            Statement::Assign(base, accessors, value) => self.assign(base, accessors, value)?,
            Statement::Delete(base, accessors) => self.delete(base, accessors)?,
            Statement::If(branches) => {
                for (condition, block) in branches {
                    let is_met = match condition {
                        None => true,
                        Some(condition) => eval(condition, &self.scope())?.truth()?,
                    };
                    if is_met {
                        return self.block(block);
                    }
                }
            }
            Statement::For(place, list, block) => {
                let items = match self.json(list)? {
                    Value::Null => Vec::new(),
                    Value::Array(items) => items,
                    other => return Err(Val::of(&other).is_no("a list")),
                };
                for item in items {
                    self.meter.step()?;
                    if let Some(local) = self.locals.get_mut(*place) {
                        *local = Val::owned(item);
                    }
                    match self.block(block)? {
                        Next::Go => {}
                        end => return Ok(end),
                    }
                }
            }
            Statement::Return(value) => return Ok(Next::Return(self.json(value)?)),
            Statement::Drop => return Ok(Next::Drop),
        }
        Ok(Next::Go)
    }

    fn json(&self, expr: &Expr) -> Result<Value, Problem> {
        eval(expr, &self.scope())?.into_json(self.meter)
    }

    fn set_local(&mut self, place: usize, value: &Expr) -> Result<(), Problem> {
        let value = eval(value, &self.scope())?.into_owned(self.meter)?;
        if let Some(local) = self.locals.get_mut(place) {
            *local = value;
        }
        Ok(())
    }

    /// Where the accessors lead, as they are at this moment.
    fn places(&self, accessors: &[Accessor]) -> Result<Vec<Place>, Problem> {
        if accessors.len() > MAX_PATH_DEPTH {
            let message = format!("a path has at most {MAX_PATH_DEPTH} parts");
            return Err(Problem::new("", message));
        }
        let scope = self.scope();
        let place = |accessor: &Accessor| match accessor {
            Accessor::Key(key) => Ok(Place::Key(key.clone())),
            Accessor::At(expr) => match eval(expr, &scope)? {
                Val::Text(key) => {
                    self.meter.take(key.len())?;
                    Ok(Place::Key(key.into_owned()))
                }
                Val::Number(number) if number.to_i64().is_some() => {
                    Ok(Place::Index(number.to_i64().unwrap_or_default()))
                }
                other => Err(other.is_no("a field or a place in a list")),
            },
        };
        accessors.iter().map(place).collect()
    }

    /// Does something with what is at a base: the record as an object, or a variable's value.
    fn change<T>(
        &mut self,
        base: &Base,
        with: impl FnOnce(&mut Value, &Meter) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        if let Base::Local(place) = base {
            let Some(local) = self.locals.get_mut(*place) else {
                return Err(Problem::new("", "there is no such variable"));
            };
            let mut value = std::mem::replace(local, Val::Null).into_json(self.meter)?;
            let result = with(&mut value, self.meter);
            *local = Val::owned(value);
            return result;
        }
        let mut value = Value::Object(std::mem::take(&mut self.record));
        let result = with(&mut value, self.meter);
        match value {
            Value::Object(fields) => self.record = fields,
            other => return Err(Val::of(&other).is_no("a record")),
        }
        result
    }

    fn assign(&mut self, base: &Base, accessors: &[Accessor], value: &Expr) -> Result<(), Problem> {
        let places = self.places(accessors)?;
        let value = eval(value, &self.scope())?.into_part(self.meter)?;
        self.change(base, |root, meter| {
            let mut found = root;
            for place in &places {
                meter.step()?;
                found = place.enter(found, meter)?;
            }
            *found = value;
            Ok(())
        })
    }

    fn delete(&mut self, base: &Base, accessors: &[Accessor]) -> Result<(), Problem> {
        let mut places = self.places(accessors)?;
        let Some(last) = places.pop() else {
            return Ok(());
        };
        self.change(base, |root, meter| {
            let mut found = Some(root);
            for place in &places {
                meter.step()?;
                found = found.and_then(|found| place.find(found));
            }
            match (found, last) {
                (Some(Value::Object(fields)), Place::Key(key)) => {
                    meter.steps(u32::try_from(fields.len()).unwrap_or(u32::MAX))?;
                    fields.shift_remove(&key);
                }
                (Some(Value::Array(items)), Place::Index(index)) => {
                    meter.work(items.len().saturating_mul(32))?;
                    if let Some(index) = place_in(index, items.len()).filter(|at| *at < items.len())
                    {
                        items.remove(index);
                    }
                }
                _ => {}
            }
            Ok(())
        })
    }
}

/// One step on the way to what is changed.
enum Place {
    Key(String),
    Index(i64),
}

impl Place {
    /// What is there, made if there is nothing.
    fn enter<'v>(&self, value: &'v mut Value, meter: &Meter) -> Result<&'v mut Value, Problem> {
        if value.is_null() {
            *value = match self {
                Self::Key(_) => Value::Object(Fields::new()),
                Self::Index(_) => Value::Array(Vec::new()),
            };
        }
        match (self, value) {
            (Self::Key(key), Value::Object(fields)) => {
                meter.take_values(1)?;
                meter.take(key.len())?;
                Ok(fields.entry(key.clone()).or_insert(Value::Null))
            }
            (Self::Index(index), Value::Array(items)) => {
                let most = MAX_WRITTEN_INDEX;
                let place = place_in(*index, items.len())
                    .filter(|place| *place < items.len() || *place <= most)
                    .ok_or_else(|| {
                        Problem::new(
                            &index.to_string(),
                            format!("lists are written up to place {most}"),
                        )
                    })?;
                if place >= items.len() {
                    meter.take_values(place + 1 - items.len())?;
                    items.resize(place + 1, Value::Null);
                }
                items
                    .get_mut(place)
                    .ok_or_else(|| Problem::new("", "there is no such place"))
            }
            (Self::Key(_), other) => Err(Val::of(other).is_no("an object")),
            (Self::Index(_), other) => Err(Val::of(other).is_no("a list")),
        }
    }

    fn find<'v>(&self, value: &'v mut Value) -> Option<&'v mut Value> {
        match (self, value) {
            (Self::Key(key), Value::Object(fields)) => fields.get_mut(key),
            (Self::Index(index), Value::Array(items)) => {
                let place = place_in(*index, items.len())?;
                items.get_mut(place)
            }
            _ => None,
        }
    }
}

// What is assigned has at most so many levels, and so has what it is put into; together they stay
// far from where working through them would run out of stack.
const _: () = assert!(MAX_VALUE_DEPTH + MAX_PATH_DEPTH <= 128, "shallow enough");
