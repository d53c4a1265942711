//! The steps of making a pipeline: what is done, where one is, and what comes.

use leptos::prelude::*;

use crate::components::{Icon, IconView};

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    label: &'static str,
    state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// Done; one can go back to it, unless it cannot be changed any more.
    Done(Option<String>),
    Now,
    Later,
}

impl Step {
    /// A step that is done and can be gone back to.
    pub fn done(label: &'static str, href: impl Into<String>) -> Self {
        Self {
            label,
            state: State::Done(Some(href.into())),
        }
    }

    /// A step that is done for good.
    pub const fn past(label: &'static str) -> Self {
        Self {
            label,
            state: State::Done(None),
        }
    }

    /// The step that is seen.
    pub const fn now(label: &'static str) -> Self {
        Self {
            label,
            state: State::Now,
        }
    }

    /// A step that comes later.
    pub const fn later(label: &'static str) -> Self {
        Self {
            label,
            state: State::Later,
        }
    }
}

/// The steps in a row.
#[component]
pub fn Stepper(
    /// The steps.
    #[prop(into)]
    steps: Signal<Vec<Step>>,
) -> impl IntoView {
    let items = move || {
        steps
            .get()
            .into_iter()
            .enumerate()
            .map(|(index, step)| {
                let number = index + 1;
                let Step { label, state } = step;
                let is_now = state == State::Now;
                let mark = match &state {
                    State::Done(_) => view! { <IconView icon=Icon::Check/> }.into_any(),
                    _ => view! { <span class="num">{number}</span> }.into_any(),
                };
                let class = match &state {
                    State::Done(_) => "stepper-step done",
                    State::Now => "stepper-step now",
                    State::Later => "stepper-step",
                };
                let words = match state {
                    State::Done(Some(href)) => view! {
                        <a href=href>{label}<span class="visually-hidden">", done, go back"</span></a>
                    }
                    .into_any(),
                    State::Done(None) => {
                        view! { <span>{label}<span class="visually-hidden">", done"</span></span> }.into_any()
                    }
                    _ => view! { <span>{label}</span> }.into_any(),
                };
                view! {
                    <li class=class aria-current=is_now.then_some("step")>
                        <span class="stepper-mark" aria-hidden="true">{mark}</span>
                        {words}
                    </li>
                }
            })
            .collect_view()
    };
    view! { <ol class="stepper" aria-label="Steps" data-testid="stepper">{items}</ol> }
}
