//! Calculated fields.

use serde_json::Value;

use super::{Context, put};
use crate::fields::{FieldPath, Fields};
use crate::formula::Formula;
use crate::transform::check::Checker;
use crate::transform::definition::CalculateStep;
use crate::transform::outcome::Fault;

/// The formulas of a step, ready to be worked out.
#[derive(Debug)]
pub struct Calculate {
    fields: Vec<(FieldPath, Formula)>,
}

impl Calculate {
    pub fn compile(step: &CalculateStep, checker: &mut Checker) -> Self {
        let mut fields = Vec::with_capacity(step.fields.len());
        for (place, calculation) in step.fields.iter().enumerate() {
            let at = format!("fields.{place}.formula");
            if let Some(formula) = checker.formula(&at, &calculation.formula) {
                fields.push((calculation.field.clone(), formula));
            }
        }
        Self { fields }
    }

    pub fn run(&self, fields: &mut Fields, context: &mut Context<'_>) -> Result<(), Fault> {
        for (path, formula) in &self.fields {
            let value = match formula.value(fields, context.now_ms, context.meter) {
                Ok(value) => value,
                Err(problem) => {
                    context.keep(Fault::from(problem).under(path))?;
                    Value::Null
                }
            };
            put(path, fields, value, context)?;
        }
        Ok(())
    }
}
