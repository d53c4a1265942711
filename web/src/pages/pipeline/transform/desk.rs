//! What is being edited: the steps as JSON documents, the field of the time, and what is known of
//! them. Every change goes through here, so that each can be undone.

use std::sync::Arc;

use dash_shared::fields::SampledField;
use leptos::prelude::*;
use serde_json::Value;

use super::checks;
use super::engine::Engine;
use super::history::History;
use super::runner::Shown;
use crate::components::toast::Toasts;

/// A step in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What tells it apart from the others, wherever it stands.
    pub key: u32,
    /// What it does, as the API takes it.
    pub document: Arc<Value>,
}

/// All that is saved together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The field that says when a record happened.
    pub time_field: Option<String>,
}

/// What a pipeline has saved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// The documents of the steps.
    pub steps: Vec<Value>,
    /// The field that says when a record happened.
    pub time_field: Option<String>,
}

/// Something that has to be put right, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The place: `steps.2.fields.0.from`.
    pub at: String,
    /// What is wrong, or what to do.
    pub message: String,
    /// Whether something is only not filled in yet.
    pub is_missing: bool,
}

/// The editor's state. Cheap to copy; everything in it is a signal.
#[derive(Clone, Copy)]
pub struct Desk {
    /// What is edited.
    pub content: RwSignal<Content>,
    /// What the pipeline has saved.
    pub saved: RwSignal<Saved>,
    /// The step whose form is open.
    pub open: RwSignal<Option<u32>>,
    /// The records that are looked at, the oldest first.
    pub sample: RwSignal<Vec<Value>>,
    /// What the steps made of them.
    pub shown: RwSignal<Option<Arc<Shown>>>,
    /// What was found wrong while typing.
    pub problems: RwSignal<Vec<Problem>>,
    /// What the server found wrong when it was asked to save.
    pub refused: RwSignal<Vec<Problem>>,
    /// Whether what is missing is said at its place too: after somebody tried to save.
    pub insists: RwSignal<bool>,
    /// The engine, once it was fetched.
    pub engine: RwSignal<Option<Engine>>,
    /// What is read out to those who cannot see a step move.
    pub said: RwSignal<String>,
    history: RwSignal<History>,
    next_key: StoredValue<u32>,
    toasts: Toasts,
}

impl Desk {
    /// A desk with nothing on it.
    pub fn new(toasts: Toasts) -> Self {
        Self {
            content: RwSignal::default(),
            saved: RwSignal::default(),
            open: RwSignal::new(None),
            sample: RwSignal::default(),
            shown: RwSignal::new(None),
            problems: RwSignal::default(),
            refused: RwSignal::default(),
            insists: RwSignal::new(false),
            engine: RwSignal::new(None),
            said: RwSignal::default(),
            history: RwSignal::default(),
            next_key: StoredValue::new(0),
            toasts,
        }
    }

    /// Takes over what is saved. Steps keep their forms open where there are as many as before.
    pub fn load(self, saved: Saved) {
        let known = self.content.with_untracked(|content| {
            let keys = content.steps.iter().map(|step| step.key);
            keys.collect::<Vec<_>>()
        });
        let keeps = known.len() == saved.steps.len();
        let steps = saved
            .steps
            .iter()
            .enumerate()
            .map(|(index, document)| Step {
                key: match known.get(index) {
                    Some(key) if keeps => *key,
                    _ => self.new_key(),
                },
                document: Arc::new(document.clone()),
            });
        let content = Content {
            steps: steps.collect(),
            time_field: saved.time_field.clone(),
        };
        if !keeps {
            self.open.set(None);
        }
        self.refused.set(Vec::new());
        self.insists.set(false);
        self.history.update(History::clear);
        self.saved.set(saved);
        self.content.set(content);
    }

    /// Whether there is something to save; tracked.
    pub fn is_dirty(self) -> bool {
        self.content
            .with(|content| self.saved.with(|saved| !is_saved(content, saved)))
    }

    /// Changes something. Changes with the same label, one soon after the other, are one to undo.
    pub fn change(self, label: &str, change: impl FnOnce(&mut Content)) {
        let before = self.content.get_untracked();
        self.history
            .update(|history| history.keep(before, label.to_owned()));
        self.forget_refusal();
        self.content.update(change);
    }

    fn forget_refusal(self) {
        if self.refused.with_untracked(|refused| !refused.is_empty()) {
            self.refused.set(Vec::new());
        }
    }

    /// Whether there is something to undo, and something to do again; tracked.
    pub fn can_go(self) -> (bool, bool) {
        self.history.with(History::can_go)
    }

    /// Goes one change back, or forward again.
    pub fn go(self, back: bool) {
        let now = self.content.get_untracked();
        let there = self
            .history
            .try_update(|history| history.go(now, back))
            .flatten();
        if let Some(content) = there {
            let open = self.open.get_untracked();
            if open.is_some() && content.steps.iter().all(|step| Some(step.key) != open) {
                self.open.set(None);
            }
            self.forget_refusal();
            self.content.set(content);
        }
    }

    /// Where a step stands, from 0; tracked.
    pub fn index_of(self, key: u32) -> Option<usize> {
        self.content
            .with(|content| content.steps.iter().position(|step| step.key == key))
    }

    /// A step's document; tracked.
    pub fn document(self, key: u32) -> Option<Arc<Value>> {
        self.content.with(|content| {
            let step = content.steps.iter().find(|step| step.key == key);
            step.map(|step| step.document.clone())
        })
    }

    /// The documents as they are now; tracked.
    pub fn documents(self) -> Vec<Arc<Value>> {
        self.content.with(|content| {
            let documents = content.steps.iter().map(|step| step.document.clone());
            documents.collect()
        })
    }

    /// Adds a step behind the one that is open, or at the end, and opens it.
    pub fn add(self, document: Value) {
        let open = self.open.get_untracked();
        let key = self.new_key();
        self.change("", |content| {
            let behind = content
                .steps
                .iter()
                .position(|step| Some(step.key) == open)
                .map_or(content.steps.len(), |index| index + 1);
            let document = Arc::new(document);
            content.steps.insert(behind, Step { key, document });
        });
        self.open.set(Some(key));
    }

    /// Makes this the first step, in place of the first one if `replaces` says so of that; and
    /// chooses the time field, unless one is chosen.
    pub fn begin_with(
        self,
        document: Value,
        replaces: fn(&Value) -> bool,
        time_field: Option<String>,
    ) {
        let key = self.new_key();
        self.change("", |content| {
            let first = content.steps.first();
            if first.is_some_and(|first| replaces(&first.document)) {
                content.steps.remove(0);
            }
            let document = Arc::new(document);
            content.steps.insert(0, Step { key, document });
            content.time_field = content.time_field.take().or(time_field);
        });
        self.open.set(Some(key));
    }

    /// Adds a step like this one behind it.
    pub fn duplicate(self, key: u32) {
        let copy = self.new_key();
        self.change("", |content| {
            let Some(index) = content.steps.iter().position(|step| step.key == key) else {
                return;
            };
            let mut step = content.steps[index].clone();
            step.key = copy;
            content.steps.insert(index + 1, step);
        });
        self.open.set(Some(copy));
    }

    /// Takes a step away; a message offers to bring it back.
    pub fn remove(self, key: u32) {
        let Some(index) = untrack(|| self.index_of(key)) else {
            return;
        };
        let removed = self
            .content
            .with_untracked(|content| content.steps[index].clone());
        self.change("", |content| drop(content.steps.remove(index)));
        if self.open.get_untracked() == Some(key) {
            self.open.set(None);
        }
        // The page may be left before somebody asks for the step again.
        let bring_back = move || {
            if self.content.try_get_untracked().is_some() {
                let step = removed.clone();
                self.change("", |content| {
                    content.steps.insert(index.min(content.steps.len()), step);
                });
            }
        };
        self.toasts
            .undo(format!("Step {} is deleted.", index + 1), bring_back);
    }

    /// Moves a step to a place, counted without it.
    pub fn move_to(self, key: u32, place: usize) {
        let Some(index) = untrack(|| self.index_of(key)) else {
            return;
        };
        let count = self.content.with_untracked(|content| content.steps.len());
        let place = place.min(count - 1);
        if place != index {
            self.change("", |content| {
                let step = content.steps.remove(index);
                content.steps.insert(place, step);
            });
        }
        self.said.set(format!("Step {} of {count}", place + 1));
    }

    /// Replaces all steps.
    pub fn replace(self, documents: Vec<Value>) {
        let steps: Vec<Step> = documents
            .into_iter()
            .map(|document| Step {
                key: self.new_key(),
                document: Arc::new(document),
            })
            .collect();
        self.open.set(None);
        self.change("", |content| content.steps = steps);
    }

    /// Changes one document.
    pub fn edit(self, key: u32, at: &str, change: impl FnOnce(&mut Value)) {
        self.change(&format!("{key} {at}"), |content| {
            if let Some(step) = content.steps.iter_mut().find(|step| step.key == key) {
                change(Arc::make_mut(&mut step.document));
            }
        });
    }

    /// What is wrong with a step, each with its place inside it; tracked.
    pub fn problems_of(self, key: u32) -> Vec<Problem> {
        let Some(index) = self.index_of(key) else {
            return Vec::new();
        };
        let prefix = format!("steps.{index}");
        let inside = |problem: &Problem| {
            let rest = problem.at.strip_prefix(&prefix)?;
            let at = match rest.strip_prefix('.') {
                Some(at) => at.to_owned(),
                None if rest.is_empty() => String::new(),
                None => return None,
            };
            Some(Problem {
                at,
                ..problem.clone()
            })
        };
        let of = |all: RwSignal<Vec<Problem>>| {
            all.with(|all| all.iter().filter_map(inside).collect::<Vec<_>>())
        };
        let mut found = of(self.refused);
        found.extend(of(self.problems));
        found
    }

    /// The fields of the records that arrive at a step, as far as they are known; tracked.
    pub fn fields_at(self, key: u32) -> Vec<SampledField> {
        let keys = self.content.with(|content| {
            let before = content.steps.iter().take_while(|step| step.key != key);
            before.map(|step| step.key).collect::<Vec<_>>()
        });
        match self.shown.get() {
            Some(shown) => shown.fields_at(key, &keys),
            None => self.sample.with(|sample| checks::fields_of(sample.iter())),
        }
    }

    fn new_key(self) -> u32 {
        let key = self.next_key.get_value();
        self.next_key.set_value(key.wrapping_add(1));
        key
    }
}

/// Whether this is what is saved.
pub fn is_saved(content: &Content, saved: &Saved) -> bool {
    let documents = content.steps.iter().map(|step| &*step.document);
    content.time_field == saved.time_field && documents.eq(saved.steps.iter())
}
