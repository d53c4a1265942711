//! What has to be right about a transform before it is saved. Each problem names its place, like
//! `steps.2.fields.0.from`.

use super::definition::{
    Action, Condition, Definition, ExplodeStep, FlattenStep, JoinStep, LookupStep, Step,
    WindowAggregate, WindowStep,
};
use super::mapping::{check_field_name, check_mappings};
use super::steps::window::group_name;
use super::{
    MAX_CONSTANT_BYTES, MAX_FLATTEN_DEPTH, MAX_GROUPS, MAX_KEYS, MAX_MEASURES, MAX_REMEMBERED,
    MAX_REMEMBERED_SECONDS, MAX_SOURCE_BYTES, MAX_STEP_FIELDS, MAX_STEPS, MAX_TABLE_BYTES,
    MAX_TABLE_COLUMNS, MAX_TABLE_ROWS, MAX_WINDOW_SECONDS, MAX_WINDOWS_AT_ONCE,
};
use crate::fields::FieldPath;
use crate::formula::{Formula, Script, SyntaxError};
use crate::queries::check_filters;
use crate::{Invalid, InvalidCode};

/// Collects problems, each with its place.
#[derive(Debug, Default)]
pub(super) struct Checker {
    at: String,
    problems: Vec<Invalid>,
    /// How long the formulas and scripts were so far, in bytes.
    source_bytes: usize,
}

impl Checker {
    /// Everything that was found.
    pub fn finish(self) -> Result<(), Vec<Invalid>> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(self.problems)
        }
    }

    /// Does something whose problems are below a place.
    pub fn under<T>(&mut self, at: &str, with: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.at, at.to_owned());
        let result = with(self);
        self.at = outer;
        result
    }

    /// Reports a problem at a place.
    pub fn report(&mut self, at: &str, code: InvalidCode, message: impl Into<String>) {
        let at = match self.at.as_str() {
            "" => at.to_owned(),
            outer => format!("{outer}.{at}"),
        };
        self.problems.push(Invalid::new(&at, code, message));
    }

    /// A list has at most so many items.
    pub fn at_most(&mut self, at: &str, count: usize, most: usize, what: &str) {
        if count > most {
            let message = format!("There are at most {most} {what}.");
            self.report(at, InvalidCode::TooLong, message);
        }
    }

    /// A list has one item at least, and at most so many.
    fn some(&mut self, at: &str, count: usize, most: usize, what: &str) {
        if count == 0 {
            let message = format!("There are no {what} yet. Add one.");
            self.report(at, InvalidCode::Required, message);
        }
        self.at_most(at, count, most, what);
    }

    /// A number lies between two others.
    fn between(&mut self, at: &str, number: u32, least: u32, most: u32, what: &str) {
        if !(least..=most).contains(&number) {
            let message = format!("{what} is between {least} and {most}.");
            self.report(at, InvalidCode::Invalid, message);
        }
    }

    fn name(&mut self, at: &str, name: &str) {
        if let Err(message) = check_field_name(name) {
            self.report(at, InvalidCode::Invalid, message);
        }
    }

    fn target(&mut self, at: &str, path: &FieldPath) {
        if !path.can_be_written() {
            let message = format!("“{path}” is too far into a list to be written.");
            self.report(at, InvalidCode::Invalid, message);
        }
    }

    /// Reads a formula.
    pub fn formula(&mut self, at: &str, source: &str) -> Option<Formula> {
        self.source(at, source, Formula::compile)
    }

    /// Reads a script.
    pub fn script(&mut self, at: &str, source: &str) -> Option<Script> {
        self.source(at, source, Script::compile)
    }

    fn source<T>(
        &mut self,
        at: &str,
        source: &str,
        read: fn(&str) -> Result<T, SyntaxError>,
    ) -> Option<T> {
        self.source_bytes += source.len();
        if self.source_bytes > MAX_SOURCE_BYTES {
            let message = format!("All formulas together have at most {MAX_SOURCE_BYTES} bytes.");
            self.report(at, InvalidCode::TooLong, message);
            return None;
        }
        read(source)
            .map_err(|error| self.report(at, InvalidCode::Invalid, sentence(&error.to_string())))
            .ok()
    }
}

/// An error as a sentence.
fn sentence(error: &str) -> String {
    let mut chars = error.chars();
    let first = chars.next().map(char::to_uppercase);
    first
        .into_iter()
        .flatten()
        .chain(chars)
        .chain(['.'])
        .collect()
}

/// Checks the number of steps and the rules of each, apart from what compiling it tells.
pub(super) fn check(definition: &Definition, checker: &mut Checker) {
    checker.at_most("steps", definition.steps.len(), MAX_STEPS, "steps");
    for (index, step) in definition.steps.iter().enumerate() {
        checker.under(&format!("steps.{index}"), |checker| {
            check_step(step, checker);
        });
    }
}

fn check_step(step: &Step, checker: &mut Checker) {
    match &step.action {
        Action::Map(step) => step.check(checker),
        Action::Rename(step) => {
            checker.some("fields", step.fields.len(), MAX_STEP_FIELDS, "fields");
            let mut names = std::collections::BTreeSet::new();
            for (place, renaming) in step.fields.iter().enumerate() {
                let at = format!("fields.{place}.to");
                checker.name(&at, &renaming.to);
                if !names.insert(&renaming.to) {
                    let name = &renaming.to;
                    let message = format!("Two fields are called “{name}”. Give one another name.");
                    checker.report(&at, InvalidCode::Invalid, message);
                }
            }
        }
        Action::Select(step) => {
            checker.some("fields", step.fields.len(), MAX_STEP_FIELDS, "fields");
            for (place, path) in step.fields.iter().enumerate() {
                checker.target(&format!("fields.{place}"), path);
            }
        }
        Action::Drop(step) => checker.some("fields", step.fields.len(), MAX_STEP_FIELDS, "fields"),
        Action::Cast(step) => checker.some("fields", step.fields.len(), MAX_STEP_FIELDS, "fields"),
        Action::Mask(step) => checker.some("fields", step.fields.len(), MAX_STEP_FIELDS, "fields"),
        Action::Hash(step) => checker.some("fields", step.fields.len(), MAX_STEP_FIELDS, "fields"),
        Action::ParseDate(step) => {
            checker.some("fields", step.fields.len(), MAX_STEP_FIELDS, "fields");
        }
        Action::Set(step) => {
            checker.some("fields", step.fields.len(), MAX_STEP_FIELDS, "fields");
            for (place, constant) in step.fields.iter().enumerate() {
                checker.target(&format!("fields.{place}.field"), &constant.field);
                if constant.value.to_string().len() > MAX_CONSTANT_BYTES {
                    let message = format!("A value has at most {MAX_CONSTANT_BYTES} bytes.");
                    checker.report(
                        &format!("fields.{place}.value"),
                        InvalidCode::TooLong,
                        message,
                    );
                }
            }
        }
        Action::Calculate(step) => {
            checker.some("fields", step.fields.len(), MAX_STEP_FIELDS, "fields");
            for (place, calculation) in step.fields.iter().enumerate() {
                checker.target(&format!("fields.{place}.field"), &calculation.field);
            }
        }
        Action::Filter(step) => {
            if let Condition::Comparisons { conditions, .. } = &step.condition {
                checker.some("conditions", conditions.len(), usize::MAX, "conditions");
                for problem in check_filters(conditions) {
                    let at = problem.field.join(".").replacen("filters", "conditions", 1);
                    checker.report(&at, problem.code, problem.message);
                }
            }
        }
        Action::Explode(step) => check_explode(step, checker),
        Action::Flatten(step) => check_flatten(step, checker),
        Action::Deduplicate(step) => {
            checker.some("keys", step.keys.len(), MAX_KEYS, "keys");
            let (within, remember) = (step.within_seconds, step.remember);
            checker.between(
                "within_seconds",
                within,
                1,
                MAX_REMEMBERED_SECONDS,
                "The time",
            );
            checker.between(
                "remember",
                remember,
                1,
                MAX_REMEMBERED,
                "The number of records",
            );
        }
        Action::Script(step) => {
            if step.source.trim().is_empty() {
                checker.report("source", InvalidCode::Required, "Write a script.");
            }
        }
        Action::Window(step) => check_window(step, checker),
        Action::Lookup(step) => check_lookup(step, checker),
        Action::Join(step) => check_join(step, checker),
    }
}

fn check_explode(step: &ExplodeStep, checker: &mut Checker) {
    checker.target("field", &step.field);
    if let Some(name) = &step.to {
        checker.name("to", name);
    }
}

fn check_flatten(step: &FlattenStep, checker: &mut Checker) {
    let (depth, most) = (u32::from(step.depth), u32::from(MAX_FLATTEN_DEPTH));
    checker.between("depth", depth, 1, most, "The number of levels");
}

fn check_window(step: &WindowStep, checker: &mut Checker) {
    let size = step.size_seconds;
    checker.between(
        "size_seconds",
        size,
        1,
        MAX_WINDOW_SECONDS,
        "The length of a window",
    );
    if let Some(every) = step.every_seconds {
        checker.between(
            "every_seconds",
            every,
            1,
            size.max(1),
            "The time between two windows",
        );
        if size.div_ceil(every.max(1)) > MAX_WINDOWS_AT_ONCE {
            let message = format!("A record is in at most {MAX_WINDOWS_AT_ONCE} windows at once.");
            checker.report("every_seconds", InvalidCode::Invalid, message);
        }
    }
    let lateness = step.allowed_lateness_seconds;
    checker.between(
        "allowed_lateness_seconds",
        lateness,
        0,
        MAX_WINDOW_SECONDS,
        "The lateness",
    );
    checker.at_most(
        "group_by",
        step.group_by.len(),
        MAX_GROUPS,
        "fields to group by",
    );
    checker.some("measures", step.measures.len(), MAX_MEASURES, "measures");
    let own = ["window_start", "window_end"].map(str::to_owned);
    let mut names = std::collections::BTreeSet::from(own);
    for (place, path) in step.group_by.iter().enumerate() {
        let name = group_name(path);
        if !names.insert(name.clone()) {
            let message =
                format!("Two fields would be called “{name}”. Rename one before this step.");
            checker.report(&format!("group_by.{place}"), InvalidCode::Invalid, message);
        }
    }
    for (place, measure) in step.measures.iter().enumerate() {
        let at = format!("measures.{place}.to");
        checker.name(&at, &measure.to);
        if !names.insert(measure.to.clone()) {
            let name = &measure.to;
            let message = format!("Two fields are called “{name}”. Give one another name.");
            checker.report(&at, InvalidCode::Invalid, message);
        }
        if measure.field.is_none() && measure.aggregate != WindowAggregate::Count {
            let message = "Choose the field whose values are aggregated.";
            checker.report(
                &format!("measures.{place}.field"),
                InvalidCode::Required,
                message,
            );
        }
    }
}

fn check_lookup(step: &LookupStep, checker: &mut Checker) {
    if step.columns.len() < 2 {
        let message = "A table has a column to look a value up in, and one to take at least.";
        checker.report("columns", InvalidCode::Required, message);
    }
    checker.at_most("columns", step.columns.len(), MAX_TABLE_COLUMNS, "columns");
    for (place, column) in step.columns.iter().enumerate().skip(1) {
        checker.name(&format!("columns.{place}"), column);
    }
    checker.some("rows", step.rows.len(), MAX_TABLE_ROWS, "rows");
    let width = step.columns.len();
    if let Some(place) = step.rows.iter().position(|row| row.len() != width) {
        let message = format!("This row has not {width} values, as there are columns.");
        checker.report(&format!("rows.{place}"), InvalidCode::Invalid, message);
    }
    let mut bytes = 0;
    for value in step.rows.iter().flatten() {
        bytes += value.to_string().len();
        if bytes > MAX_TABLE_BYTES {
            let message = format!("A table has at most {MAX_TABLE_BYTES} bytes.");
            checker.report("rows", InvalidCode::TooLong, message);
            return;
        }
    }
}

fn check_join(step: &JoinStep, checker: &mut Checker) {
    checker.some("take", step.take.len(), MAX_STEP_FIELDS, "fields");
    check_mappings(&step.take, "take", checker);
}
