//! Conditions on records.

use super::{Context, Flow};
use crate::fields::Fields;
use crate::formula::Formula;
use crate::queries::Filter as Comparison;
use crate::transform::check::Checker;
use crate::transform::definition::{Combine, Condition, FilterStep, Matching};
use crate::transform::outcome::Fault;

/// A condition, ready to be looked at.
#[derive(Debug)]
pub struct Filter {
    condition: Ready,
    matching: Matching,
}

#[derive(Debug)]
enum Ready {
    Formula(Formula),
    All(Vec<Comparison>),
    Any(Vec<Comparison>),
}

impl Filter {
    pub fn compile(step: &FilterStep, checker: &mut Checker) -> Option<Self> {
        let condition = match &step.condition {
            Condition::Formula { formula } => Ready::Formula(checker.formula("formula", formula)?),
            Condition::Comparisons {
                combine,
                conditions,
            } => match combine {
                Combine::All => Ready::All(conditions.clone()),
                Combine::Any => Ready::Any(conditions.clone()),
            },
        };
        Some(Self {
            condition,
            matching: step.matching,
        })
    }

    pub fn run(&self, fields: &Fields, context: &Context<'_>) -> Result<Flow, Fault> {
        let is_met = match &self.condition {
            Ready::Formula(formula) => formula.is_met(fields, context.now_ms, context.meter)?,
            Ready::All(all) => all.iter().all(|comparison| comparison.matches(fields)),
            Ready::Any(any) => any.iter().any(|comparison| comparison.matches(fields)),
        };
        Ok(if is_met == (self.matching == Matching::Keep) {
            Flow::Next
        } else {
            Flow::Dropped
        })
    }
}
