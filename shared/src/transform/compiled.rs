//! A transform that is ready to run: formulas read, patterns and tables made ready.

use std::borrow::Cow;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::check::{Checker, check};
use super::definition::CastStep;
use super::definition::{
    Action, DeduplicateStep, Definition, DropStep, ExplodeStep, FlattenStep, HashStep, JoinStep,
    MaskStep, OnError, RenameStep, SelectStep, SetStep, WindowStep,
};
use super::mapping::MapStep;
use super::outcome::Fault;
use super::state::State;
use super::steps::calculate::Calculate;
use super::steps::dates::ParseDate;
use super::steps::filter::Filter;
use super::steps::lookup::Lookup;
use super::steps::{
    Context, Flow, deduplicate, explode, fields, flatten, join, privacy, script, window,
};
use crate::Invalid;
use crate::fields::Fields;
use crate::formula::Script;

/// A transform that is ready to run. Cheap to clone, and shared by threads.
#[derive(Clone, Debug)]
pub struct Transform {
    steps: Arc<[CompiledStep]>,
}

/// A step that is ready to run.
#[derive(Debug)]
pub(super) struct CompiledStep {
    pub on_error: OnError,
    work: Work,
}

#[derive(Debug)]
enum Work {
    Map(MapStep),
    Rename(RenameStep),
    Select(SelectStep),
    Drop(DropStep),
    Cast(CastStep),
    Set(SetStep),
    Calculate(Calculate),
    Filter(Filter),
    Explode(ExplodeStep),
    Flatten(FlattenStep),
    ParseDate(ParseDate),
    Deduplicate(DeduplicateStep, u64),
    Mask(MaskStep),
    Hash(HashStep),
    Script(Script),
    Window(WindowStep, u64),
    Lookup(Lookup),
    Join(JoinStep),
}

impl Transform {
    /// Checks a definition and makes it ready; tells everything that is wrong with it.
    pub fn compile(definition: &Definition) -> Result<Self, Vec<Invalid>> {
        let mut checker = Checker::default();
        check(definition, &mut checker);
        let mut steps = Vec::with_capacity(definition.steps.len());
        for (index, step) in definition.steps.iter().enumerate() {
            let before = definition.steps.iter().take(index);
            let same = before.filter(|other| other.action == step.action).count();
            let work = checker.under(&format!("steps.{index}"), |checker| {
                compile(&step.action, same, checker)
            });
            steps.extend(work.map(|work| CompiledStep {
                on_error: step.on_error,
                work,
            }));
        }
        checker.finish()?;
        Ok(Self {
            steps: steps.into(),
        })
    }

    pub(super) fn steps(&self) -> &[CompiledStep] {
        &self.steps
    }

    /// Whether there are no steps: records stay what they are.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether it remembers something between records, so that its state has to be kept.
    pub fn is_stateful(&self) -> bool {
        self.steps.iter().any(|step| step.fingerprint().is_some())
    }

    /// Whether it has windows, which close as time goes by.
    pub fn has_windows(&self) -> bool {
        self.steps.iter().any(|step| step.window().is_some())
    }

    /// The joins, whose pipelines' records the environment is asked for.
    pub fn joins(&self) -> impl Iterator<Item = &JoinStep> {
        self.steps.iter().filter_map(|step| match &step.work {
            Work::Join(join) => Some(join),
            _ => None,
        })
    }

    /// The time zones by name that dates are read in: the environment has to know them.
    pub fn zones(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| match &step.work {
            Work::ParseDate(step) => step.zone_name(),
            _ => None,
        })
    }

    /// What was remembered, without what belongs to steps that are gone or were changed.
    #[must_use]
    pub fn adopt(&self, mut state: State) -> State {
        let fingerprints = self.steps.iter().filter_map(CompiledStep::fingerprint);
        state.retain(&fingerprints.collect::<Vec<_>>());
        state
    }
}

/// Makes a step ready; none when something is wrong with it.
fn compile(action: &Action, same: usize, checker: &mut Checker) -> Option<Work> {
    Some(match action {
        Action::Map(step) => Work::Map(step.clone()),
        Action::Rename(step) => Work::Rename(step.clone()),
        Action::Select(step) => Work::Select(step.clone()),
        Action::Drop(step) => Work::Drop(step.clone()),
        Action::Cast(step) => Work::Cast(step.clone()),
        Action::Set(step) => Work::Set(step.clone()),
        Action::Calculate(step) => Work::Calculate(Calculate::compile(step, checker)),
        Action::Filter(step) => Work::Filter(Filter::compile(step, checker)?),
        Action::Explode(step) => Work::Explode(step.clone()),
        Action::Flatten(step) => Work::Flatten(step.clone()),
        Action::ParseDate(step) => Work::ParseDate(ParseDate::compile(step, checker)?),
        Action::Deduplicate(step) => Work::Deduplicate(step.clone(), fingerprint(action, same)),
        Action::Mask(step) => Work::Mask(step.clone()),
        Action::Hash(step) => Work::Hash(step.clone()),
        Action::Script(step) => Work::Script(checker.script("source", &step.source)?),
        Action::Window(step) => Work::Window(step.clone(), fingerprint(action, same)),
        Action::Lookup(step) => Work::Lookup(Lookup::compile(step)),
        Action::Join(step) => Work::Join(step.clone()),
    })
}

/// What tells the state of a step: what it does, and how many before it do the same.
fn fingerprint(action: &Action, same: usize) -> u64 {
    let json = serde_json::to_string(&(action, same)).unwrap_or_default();
    let digest = Sha256::digest(json.as_bytes());
    digest
        .iter()
        .take(8)
        .fold(0, |bits, byte| bits << 8 | u64::from(*byte))
}

impl CompiledStep {
    fn fingerprint(&self) -> Option<u64> {
        match &self.work {
            Work::Deduplicate(_, fingerprint) | Work::Window(_, fingerprint) => Some(*fingerprint),
            _ => None,
        }
    }

    /// The window that it is, and its fingerprint.
    pub fn window(&self) -> Option<(&WindowStep, u64)> {
        match &self.work {
            Work::Window(step, fingerprint) => Some((step, *fingerprint)),
            _ => None,
        }
    }

    /// Runs the step over a record. What only reads does not copy it.
    pub fn run(
        &self,
        record: &mut Cow<'_, Fields>,
        context: &mut Context<'_>,
    ) -> Result<Flow, Fault> {
        match &self.work {
            Work::Map(step) => {
                for mapping in &step.fields {
                    if let Some(value) = mapping.from.get(record) {
                        context.meter.take_copy_of(value)?;
                    }
                }
                step.run(record, |fault| context.keep(fault))?;
            }
            Work::Rename(step) => fields::rename(step, record),
            Work::Select(step) => fields::select(step, record, context)?,
            Work::Drop(step) => fields::drop(step, record),
            Work::Cast(step) => fields::cast_fields(step, record.to_mut(), context)?,
            Work::Set(step) => fields::set(step, record.to_mut(), context)?,
            Work::Calculate(step) => step.run(record.to_mut(), context)?,
            Work::Filter(step) => return step.run(record, context),
            Work::Explode(step) => return explode::run(step, record.to_mut(), context),
            Work::Flatten(step) => flatten::run(step, record.to_mut(), context)?,
            Work::ParseDate(step) => step.run(record.to_mut(), context)?,
            Work::Deduplicate(step, fingerprint) => {
                return Ok(deduplicate::run(step, *fingerprint, record, context));
            }
            Work::Mask(step) => privacy::mask(step, record.to_mut(), context)?,
            Work::Hash(step) => privacy::hash(step, record.to_mut(), context)?,
            Work::Script(script) => return script::run(script, record, context),
            Work::Window(step, fingerprint) => {
                return window::run(step, *fingerprint, record, context);
            }
            Work::Lookup(step) => step.run(record.to_mut(), context)?,
            Work::Join(step) => join::run(step, record.to_mut(), context)?,
        }
        Ok(Flow::Next)
    }
}
