//! What the steps make of real records: all of them together, the one that is open, or the records
//! as they came in.

use leptos::prelude::*;
use serde_json::Value;

use super::bench::Benches;
use super::changes::{Changes, Counts};
use super::desk::Desk;
use super::preview_table::ChangesTable;
use super::runner::Answerer;
use super::sample::Sample;
use crate::components::json_view::JsonView;
use crate::components::{
    Button, ButtonSize, Choice, Icon, IconButton, Menu, MenuItem, Segmented, Skeleton, bind,
};
use crate::format::plural;

/// The preview.
#[component]
pub fn PreviewView(
    /// What is edited.
    desk: Desk,
    /// What it is edited with.
    bench: Benches,
    /// The records that are looked at.
    sample: Sample,
) -> impl IntoView {
    let view = RwSignal::new("result".to_owned());
    let pastes = RwSignal::new(false);
    // Whoever opens a step wants to see what it does.
    Effect::new(move |was_open: Option<Option<u32>>| {
        let open = desk.open.get();
        if was_open.is_some_and(|was_open| was_open != open) {
            match open {
                Some(_) if view.with_untracked(|view| view != "received") => {
                    view.set("step".to_owned());
                }
                None if view.with_untracked(|view| view == "step") => {
                    view.set("result".to_owned());
                }
                _ => {}
            }
        }
        open
    });
    let has_records = Memo::new(move |_| !desk.sample.with(Vec::is_empty));
    let content = move || match view.get().as_str() {
        "received" => view! { <ReceivedView desk/> }.into_any(),
        "step" => view! { <StepView desk/> }.into_any(),
        _ => view! { <ResultView desk/> }.into_any(),
    };
    let choices = vec![
        Choice::new("result", "Result"),
        Choice::new("step", "This step"),
        Choice::new("received", "Received (JSON)"),
    ];
    view! {
        <div class="work-preview" data-testid="preview">
            <div class="row work-preview-head">
                <Segmented label="What is shown" choices value=view on_change=bind(view)/>
                <div class="row end">
                    <Show when=move || sample.can_fetch()>
                        <Button
                            size=ButtonSize::Small
                            icon=Icon::Refresh
                            busy=sample.busy
                            on_click=move || sample.fetch()
                            test_id="fetch-sample"
                        >
                            "Fetch fresh records"
                        </Button>
                    </Show>
                    <Menu label="Other records" test_id="sample-menu">
                        <MenuItem icon=Icon::Refresh on_click=move || sample.load() test_id="load-sample">
                            "The newest records"
                        </MenuItem>
                        <MenuItem icon=Icon::Code on_click=move || pastes.set(true) test_id="paste-sample">
                            "Try another record"
                        </MenuItem>
                    </Menu>
                </div>
            </div>
            <Show when=move || has_records.get() fallback=move || view! { <NoRecords sample pastes/> }>
                {content}
            </Show>
            {bench.once(move || pastes.get(), move |bench| (bench.paste)(sample, pastes))}
        </div>
    }
    .into_any()
}

#[component]
fn NoRecords(sample: Sample, pastes: RwSignal<bool>) -> impl IntoView {
    move || {
        if sample.busy.get() {
            return view! { <Skeleton height="160px"/> }.into_any();
        }
        let failure = sample.failure.get();
        let text = failure.unwrap_or_else(|| {
            "Nothing came in yet. As soon as something does, this shows what the steps make of it."
                .to_owned()
        });
        view! {
            <div class="work-none">
                <p class="muted small">{text}</p>
                <Button size=ButtonSize::Small icon=Icon::Code on_click=move || pastes.set(true) test_id="paste-first">
                    "Try a record of your own"
                </Button>
            </div>
        }
        .into_any()
    }
}

/// What all steps together make of the records.
#[component]
fn ResultView(desk: Desk) -> impl IntoView {
    let changes = Memo::new(move |_| {
        let shown = desk.shown.get();
        shown.map(|shown| Changes::whole(&shown.records))
    });
    let counts = Memo::new(move |_| {
        let shown = desk.shown.get();
        shown.map(|shown| Counts::of_results(&shown.records))
    });
    view! {
        <p class="small muted num" data-testid="preview-summary">
            {move || counts.get().map(|counts| told(counts, "would be stored"))}
        </p>
        <Answered desk/>
        <ChangesTable changes through="stored"/>
    }
}

/// What the open step makes of the records that arrive at it.
#[component]
fn StepView(desk: Desk) -> impl IntoView {
    let number = Memo::new(move |_| {
        let (key, shown) = (desk.open.get()?, desk.shown.get()?);
        shown.number_of(key)
    });
    let changes = Memo::new(move |_| {
        let (number, shown) = (number.get()?, desk.shown.get()?);
        Some(Changes::of_step(&shown.records, number))
    });
    let words = move || {
        let Some(key) = desk.open.get() else {
            return "Open a step to see what it does.".to_owned();
        };
        let (Some(number), Some(shown)) = (number.get(), desk.shown.get()) else {
            let place = desk.index_of(key).unwrap_or_default() + 1;
            return format!("Step {place} is not complete yet, so there is nothing to see of it.");
        };
        let counts = Counts::of_step(&shown.records, number);
        if counts == Counts::default() {
            return "No record gets as far as this step.".to_owned();
        }
        told(counts, "go on")
    };
    view! {
        <p class="small muted num" data-testid="preview-summary">{words}</p>
        <Answered desk/>
        <ChangesTable changes through="goes on"/>
    }
}

/// One record after the other, as it came in.
#[component]
fn ReceivedView(desk: Desk) -> impl IntoView {
    let back = RwSignal::new(0_usize);
    let count = Memo::new(move |_| desk.sample.with(Vec::len));
    let place = Memo::new(move |_| back.get().min(count.get().saturating_sub(1)));
    let record = Memo::new(move |_| {
        let newest_first = |sample: &Vec<Value>| sample.iter().rev().nth(place.get()).cloned();
        desk.sample.with(newest_first)
    });
    view! {
        <div class="row">
            <IconButton
                icon=Icon::ChevronLeft
                label="A newer record"
                disabled=Signal::derive(move || place.get() == 0)
                on_click=move || back.set(place.get_untracked().saturating_sub(1))
            />
            <IconButton
                icon=Icon::ChevronRight
                label="An older record"
                disabled=Signal::derive(move || place.get() + 1 >= count.get())
                on_click=move || back.set(place.get_untracked() + 1)
            />
            <span class="small muted num">
                {move || format!("Record {} of {}, the newest first", place.get() + 1, count.get())}
            </span>
        </div>
        <div class="json-box" data-testid="received-json">
            {move || record.get().map(|value| view! { <JsonView value label="The record as it came in"/> })}
        </div>
    }
}

/// Who answered, and whether all steps were run.
#[component]
fn Answered(desk: Desk) -> impl IntoView {
    let words = move || {
        let shown = desk.shown.get()?;
        let by = match shown.by {
            Answerer::Browser => "Worked out here in the browser.",
            Answerer::Server => "Worked out by the server.",
        };
        let complete = shown.keys.len();
        Some(if complete < shown.steps {
            format!(
                "Step {} is not right yet: this is what the steps before it do. {by}",
                complete + 1
            )
        } else {
            by.to_owned()
        })
    };
    view! { <p class="tiny faint" data-testid="preview-by">{words}</p> }
}

/// “97 of 100 records would be stored, 2 left out, 1 with an error”.
fn told(counts: Counts, verb: &str) -> String {
    let Counts {
        stored,
        dropped,
        held,
        failed,
    } = counts;
    let all = stored + dropped + held + failed;
    let records = plural(all, "record", "records");
    let mut parts = vec![if stored == all {
        format!("All {records} {verb}")
    } else {
        format!("{stored} of {records} {verb}")
    }];
    if dropped > 0 {
        parts.push(format!("{dropped} left out"));
    }
    if held > 0 {
        parts.push(format!("{held} kept for a window"));
    }
    if failed > 0 {
        parts.push(plural(failed, "error", "errors"));
    }
    parts.join(" · ")
}
