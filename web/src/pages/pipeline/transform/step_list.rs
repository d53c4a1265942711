//! The list of steps: adding one, undoing, and the whole as JSON; below it the field of the time.

use dash_shared::fields::FieldType;
use leptos::{ev::KeyboardEvent, html::Ol, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::Element;

use super::bench::Benches;
use super::checks;
use super::desk::Desk;
use super::dragging::Dragging;
use super::preview::RecordFate;
use super::step_card::StepCard;
use crate::components::{
    Button, ButtonKind, ButtonSize, EmptyState, Field, Icon, IconButton, Menu, MenuItem, Select,
    SelectOption,
};
use dash_shared::transform::MAX_STEPS;

/// The list.
#[component]
pub fn StepList(
    /// What is edited.
    desk: Desk,
    /// What it is edited with.
    bench: Benches,
) -> impl IntoView {
    let list = NodeRef::<Ol>::new();
    let dragging = Dragging::new(desk, list);
    let (picks, shows_json) = (RwSignal::new(false), RwSignal::new(false));
    let count = Memo::new(move |_| desk.content.with(|content| content.steps.len()));
    let can_go = Memo::new(move |_| desk.can_go());
    let is_full = Signal::derive(move || count.get() >= MAX_STEPS);
    view! {
        <section class="card work-steps" aria-label="Steps" data-testid="transform">
            <header class="card-head">
                <h2>"Steps"</h2>
                <div class="row end">
                    <IconButton
                        icon=Icon::Undo
                        label="Undo"
                        size=ButtonSize::Small
                        disabled=Signal::derive(move || !can_go.get().0)
                        on_click=move || desk.go(true)
                        test_id="steps-undo"
                    />
                    <IconButton
                        icon=Icon::Redo
                        label="Redo"
                        size=ButtonSize::Small
                        disabled=Signal::derive(move || !can_go.get().1)
                        on_click=move || desk.go(false)
                        test_id="steps-redo"
                    />
                    <Menu label="More about the steps" test_id="steps-menu">
                        <MenuItem icon=Icon::Code on_click=move || shows_json.set(true) test_id="edit-json">
                            "Edit as JSON"
                        </MenuItem>
                        <MenuItem
                            icon=Icon::Wand
                            on_click=move || bench.open(move |bench| (bench.suggest)(desk))
                            test_id="suggest"
                        >
                            "Suggest a mapping"
                        </MenuItem>
                    </Menu>
                </div>
            </header>
            <Show when=move || count.get() == 0>
                <NoSteps desk bench picks/>
            </Show>
            <ol class="work-list" node_ref=list aria-label="Steps, in their order">
                <For
                    each=move || desk.content.with(|content| {
                        content.steps.iter().map(|step| step.key).collect::<Vec<_>>()
                    })
                    key=|key| *key
                    children=move |key| view! { <StepCard desk bench dragging step=key/> }
                />
            </ol>
            <div class="work-drop" class:here=move || dragging.marks(count.get(), dragged(desk, dragging))></div>
            <Show when=move || count.get() != 0>
                <div class="row">
                    <Button
                        icon=Icon::Plus
                        size=ButtonSize::Small
                        disabled=is_full
                        on_click=move || picks.set(true)
                        test_id="add-step"
                    >
                        "Add step"
                    </Button>
                    <Show when=move || is_full.get()>
                        <span class="small faint">{format!("A pipeline has at most {MAX_STEPS} steps.")}</span>
                    </Show>
                </div>
            </Show>
            <TimeField desk/>
            <p class="visually-hidden" aria-live="polite">{move || desk.said.get()}</p>
            {bench.once(move || picks.get(), move |bench| (bench.picker)(desk, picks))}
            {bench.once(move || shows_json.get(), move |bench| (bench.json)(desk, shows_json))}
        </section>
    }
    .into_any()
}

/// The place of the card that is being moved; tracked.
pub fn dragged(desk: Desk, dragging: Dragging) -> Option<usize> {
    let key = dragging.current.with(|drag| drag.map(|drag| drag.key))?;
    desk.index_of(key)
}

/// What is seen while there are no steps.
#[component]
fn NoSteps(desk: Desk, bench: Benches, picks: RwSignal<bool>) -> impl IntoView {
    let has_records = move || !desk.sample.with(Vec::is_empty);
    view! {
        <EmptyState
            icon=Icon::Wand
            title="Records are stored as they come"
            text="Steps change them on the way: they pick fields, convert and calculate values, or leave records out."
            test_id="no-steps"
        >
            <Button
                kind=ButtonKind::Primary
                icon=Icon::Plus
                on_click=move || picks.set(true)
                test_id="add-step"
            >
                "Add step"
            </Button>
            <Show when=has_records>
                <Button
                    icon=Icon::Table
                    on_click=move || bench.open(move |bench| (bench.suggest)(desk))
                    test_id="suggest-mapping"
                >
                    "Suggest from the records"
                </Button>
            </Show>
        </EmptyState>
    }
}

/// Which field says when a record happened.
#[component]
fn TimeField(desk: Desk) -> impl IntoView {
    let times = Memo::new(move |_| {
        let fields = match desk.shown.get() {
            Some(shown) => {
                let results = shown.records.iter().flat_map(|record| &record.results);
                let stored = results.filter(|result| result.fate == RecordFate::Stored);
                let records = stored.filter_map(|result| result.record.as_ref());
                checks::fields_of(records.map(|json| &json.0))
            }
            None => desk.sample.with(|sample| checks::fields_of(sample.iter())),
        };
        let times = fields
            .into_iter()
            .filter(|field| field.field_type == FieldType::Time);
        times
            .map(|field| field.path.to_string())
            .collect::<Vec<_>>()
    });
    let chosen = Memo::new(move |_| desk.content.with(|content| content.time_field.clone()));
    let options = Signal::derive(move || {
        let mut paths = times.get();
        paths.extend(chosen.get().filter(|chosen| !paths.contains(chosen)));
        let first = SelectOption::new("", "When it was received");
        let paths = paths
            .into_iter()
            .map(|path| SelectOption::new(path.clone(), path));
        std::iter::once(first).chain(paths).collect::<Vec<_>>()
    });
    let error = Signal::derive(move || {
        let found = desk.refused.with(|all| {
            all.iter()
                .find(|problem| problem.at == "timeField")
                .cloned()
        });
        found.map(|problem| problem.message)
    });
    let choose = Callback::new(move |path: String| {
        desk.change("", |content| {
            content.time_field = (!path.is_empty()).then_some(path);
        });
    });
    view! {
        <div class="work-time">
            <Field
                label="A record’s time"
                error
                hint="Dashboards place records at this time."
            >
                <Select
                    value=Signal::derive(move || chosen.get().unwrap_or_default())
                    on_change=choose
                    options
                    test_id="time-field"
                />
            </Field>
        </div>
    }
}

/// What the keyboard does anywhere in the editor: undo and redo.
pub fn on_key(desk: Desk, event: &KeyboardEvent) {
    // A dialog has texts of its own to undo.
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok());
    let in_dialog = target.is_some_and(|target| matches!(target.closest("dialog"), Ok(Some(_))));
    if !(event.ctrl_key() || event.meta_key()) || event.alt_key() || in_dialog {
        return;
    }
    let key = event.key();
    let back = if key.eq_ignore_ascii_case("z") {
        !event.shift_key()
    } else if key.eq_ignore_ascii_case("y") {
        false
    } else {
        return;
    };
    event.prevent_default();
    desk.go(back);
}
