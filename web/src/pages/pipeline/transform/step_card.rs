//! One step in the list: what it does in a line, how it went with the records, its acts, and its
//! form when it is open. Alt with an arrow moves it.

use leptos::{ev::KeyboardEvent, prelude::*};
use wasm_bindgen::JsCast;

use super::bench::Benches;
use super::catalog::{Kind, kind_of};
use super::changes::Counts;
use super::desk::Desk;
use super::dragging::Dragging;
use super::step_list::dragged;
use super::summary::summary;
use crate::components::{Icon, IconView, Menu, MenuItem, MenuSeparator, Skeleton, Tag, Tone};
use crate::format::plural;

/// The card.
#[component]
pub fn StepCard(
    /// What is edited.
    desk: Desk,
    /// What it is edited with.
    bench: Benches,
    /// The moves of cards.
    dragging: Dragging,
    /// The step.
    step: u32,
) -> impl IntoView {
    let key = step;
    let index = Memo::new(move |_| desk.index_of(key).unwrap_or_default());
    let count = Memo::new(move |_| desk.content.with(|content| content.steps.len()));
    let document = Memo::new(move |_| desk.document(key));
    let kind: Memo<Option<Kind>> =
        Memo::new(move |_| document.with(|document| document.as_deref().map(kind_of)));
    let line = Memo::new(move |_| {
        document.with(|document| document.as_deref().map(summary).unwrap_or_default())
    });
    let is_open = Memo::new(move |_| desk.open.get() == Some(key));
    let toggle = move || {
        let now = desk.open.get_untracked();
        desk.open.set((now != Some(key)).then_some(key));
    };
    let (head_id, form_id) = (format!("step-{key}"), format!("step-form-{key}"));
    let shift = move |down: bool| {
        let from = index.get_untracked();
        let to = if down { from + 1 } else { from.wrapping_sub(1) };
        if to < count.get_untracked() {
            desk.move_to(key, to);
            focus_head(key);
        }
    };
    let on_key = move |event: KeyboardEvent| {
        if !event.alt_key() {
            return;
        }
        let down = match event.key().as_str() {
            "ArrowDown" => true,
            "ArrowUp" => false,
            _ => return,
        };
        event.prevent_default();
        shift(down);
    };
    let offset = move || {
        let drag = dragging.current.get().filter(|drag| drag.key == key)?;
        Some(format!("{}px", drag.by_px.round()))
    };
    let form = move || {
        is_open.get().then(|| match bench.get() {
            Some(bench) => (bench.form)(desk, key),
            None => view! { <Skeleton height="120px"/> }.into_any(),
        })
    };
    view! {
        <li
            class="work-step"
            class:open=is_open
            class:dragged=move || offset().is_some()
            class:drop-here=move || dragging.marks(index.get(), dragged(desk, dragging))
            style:--by=move || offset().unwrap_or_default()
            data-testid="step"
        >
            <div class="work-step-head">
                <span
                    class="work-grip"
                    title="Drag to move, or press Alt with an arrow key"
                    aria-hidden="true"
                    data-testid="step-grip"
                    on:pointerdown=move |event| dragging.start(&event, key)
                    on:pointermove=move |event| dragging.follow(&event)
                    on:pointerup=move |_| dragging.finish()
                    on:pointercancel=move |_| dragging.give_up()
                >
                    <IconView icon=Icon::Drag/>
                </span>
                <button
                    type="button"
                    class="work-open"
                    id=head_id
                    aria-expanded=move || is_open.get().to_string()
                    aria-controls=form_id.clone()
                    aria-keyshortcuts="Alt+ArrowUp Alt+ArrowDown"
                    data-testid="step-open"
                    on:click=move |_| toggle()
                    on:keydown=on_key
                >
                    <span class="work-icon">
                        {move || kind.get().map(|kind| view! { <IconView icon=kind.icon/> })}
                    </span>
                    <span class="work-words">
                        <span class="tiny faint">
                            {move || format!(
                                "{} · {}",
                                index.get() + 1,
                                kind.get().map_or("", |kind| kind.name),
                            )}
                        </span>
                        <span class="work-line" data-testid="step-summary">{line}</span>
                    </span>
                </button>
                <Badges desk step=key/>
                <StepMenu desk step=key shift=Callback::new(shift)/>
            </div>
            <div class="work-form" id=form_id role="group" aria-label=line>{form}</div>
        </li>
    }
    .into_any()
}

/// What can be done with a step.
#[component]
fn StepMenu(desk: Desk, step: u32, shift: Callback<bool>) -> impl IntoView {
    let place = Memo::new(move |_| {
        let count = desk.content.with(|content| content.steps.len());
        (desk.index_of(step).unwrap_or_default(), count)
    });
    view! {
        <Menu label="Acts of this step" test_id="step-menu">
            <MenuItem
                icon=Icon::ArrowUp
                disabled=Signal::derive(move || place.get().0 == 0)
                on_click=move || shift.run(false)
                test_id="step-up"
            >
                "Move up"
            </MenuItem>
            <MenuItem
                icon=Icon::ArrowDown
                disabled=Signal::derive(move || place.get().0 + 1 >= place.get().1)
                on_click=move || shift.run(true)
                test_id="step-down"
            >
                "Move down"
            </MenuItem>
            <MenuItem icon=Icon::Copy on_click=move || desk.duplicate(step) test_id="step-duplicate">
                "Duplicate"
            </MenuItem>
            <MenuSeparator/>
            <MenuItem
                icon=Icon::Trash
                danger=true
                on_click=move || desk.remove(step)
                test_id="step-delete"
            >
                "Delete"
            </MenuItem>
        </Menu>
    }
    .into_any()
}

/// Whether the step is complete, and how the records fared at it.
#[component]
fn Badges(desk: Desk, step: u32) -> impl IntoView {
    let state = Memo::new(move |_| {
        let problems = desk.problems_of(step);
        let is_wrong = problems.iter().any(|problem| !problem.is_missing);
        let counts = desk.shown.get().and_then(|shown| {
            let number = shown.number_of(step)?;
            Some(Counts::of_step(&shown.records, number))
        });
        (problems.is_empty(), is_wrong, counts.unwrap_or_default())
    });
    move || {
        let (is_complete, is_wrong, counts) = state.get();
        if is_wrong {
            return view! {
                <Tag tone=Tone::Bad icon=Icon::Alert test_id="step-wrong">"Not right yet"</Tag>
            }
            .into_any();
        }
        if !is_complete {
            return view! { <Tag tone=Tone::Warn test_id="step-incomplete">"To fill in"</Tag> }
                .into_any();
        }
        let errors = (counts.failed > 0).then(|| {
            view! {
                <Tag tone=Tone::Bad icon=Icon::Alert test_id="step-errors">
                    {plural(counts.failed, "error", "errors")}
                </Tag>
            }
        });
        let dropped = (counts.dropped > 0).then(|| {
            view! { <Tag test_id="step-dropped">{format!("{} left out", counts.dropped)}</Tag> }
        });
        view! { {errors} {dropped} }.into_any()
    }
}

/// A card that was moved keeps the keyboard.
fn focus_head(key: u32) {
    request_animation_frame(move || {
        let head = document().get_element_by_id(&format!("step-{key}"));
        let head = head.and_then(|head| head.dyn_into::<web_sys::HtmlElement>().ok());
        if let Some(head) = head {
            drop(head.focus());
        }
    });
}
