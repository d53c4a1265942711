//! The tab “Transform”: the mapping of a pipeline beside what it makes of real records. The
//! records are those that are stored, put back into the form they came in, those with an error,
//! a fresh answer of the polled API, or one that is pasted.

use dash_shared::fields::sample_fields;
use dash_shared::transform::mapping;
use leptos::{prelude::*, task::spawn_local};
use serde_json::Value;

use super::acts::{Change, update};
use super::feed::What;
use super::map_draft::MapDraft;
use super::mapping_table::{MappingRules, MappingTable};
use super::outcome::Preview;
use super::outcome_table::OutcomeTable;
use super::queries::{Pipeline, Source};
use super::save_bar::SaveBar;
use super::source_test::fetch_records;
use super::{Store, use_store};
use crate::api::FormErrors;
use crate::components::{
    Button, ButtonKind, ButtonSize, Card, Dialog, Field, Icon, IconButton, TextArea, use_toasts,
};
use crate::format::plural;

/// How many records are previewed.
pub const MAX_SAMPLE: usize = 8;
/// How many of them are records with an error.
const MAX_REFUSED: usize = 3;
/// The errors that the editor shows at their fields.
const SHOWN_ERRORS: &[&str] = &["timeField", "steps.0.fields"];

/// The tab.
#[component]
pub fn TransformTab() -> impl IntoView {
    let store = use_store();
    let draft = MapDraft::new();
    let saved = Memo::new(move |_| {
        store
            .pipeline
            .with(|pipeline| (pipeline.shared_steps(), pipeline.time_field.clone()))
    });
    let load = move || {
        let (steps, time_field) = saved.get_untracked();
        draft.load(&steps, time_field);
    };
    load();
    let errors = FormErrors::new();
    let busy = RwSignal::new(false);
    let toasts = use_toasts();

    let sample = RwSignal::new(Vec::<Value>::new());
    fill_once(store, sample);
    Effect::new(move || {
        let fields =
            sample.with(|sample| sample_fields(sample.iter().filter_map(Value::as_object)));
        draft.offer(&fields);
    });

    let steps = Memo::new(move |_| draft.preview());
    let preview = Memo::new(move |_| sample.with(|sample| Preview::of(&steps.get(), sample)));
    let is_dirty = Memo::new(move |_| {
        saved.with(|(saved_steps, saved_time)| {
            steps.with(|steps| steps != saved_steps) || draft.time_field.get() != *saved_time
        })
    });
    let save = move || {
        let steps = match untrack(|| draft.steps()) {
            Ok(steps) => steps,
            Err(problems) => {
                errors.clear();
                for problem in &problems {
                    errors.add_invalid(problem);
                }
                return;
            }
        };
        let change = Change::Transform(steps, draft.time_field.get_untracked());
        busy.set(true);
        spawn_local(async move {
            let pipeline = store.pipeline.get_untracked();
            if let Some(changed) = update(&pipeline, change, errors).await {
                store.replace(changed);
                toasts.success("The transform is saved. Records from now on go through it.");
            }
            busy.set(false);
        });
    };
    view! {
        <form
            class="stack"
            on:submit=move |event| {
                event.prevent_default();
                save();
            }
        >
            <Card title="Fields" actions=move || view! { <SampleActs draft sample store/> } test_id="transform">
                <MapSection draft sample errors/>
                <MappingRules draft errors/>
            </Card>
            <PreviewCard preview sample/>
            <SaveBar
                is_dirty
                busy
                error=general_error(errors)
                on_discard=Callback::new(move |()| {
                    errors.clear();
                    load();
                    sample.notify();
                })
            />
        </form>
    }
    .into_any()
}

/// The first error that no field of the editor shows.
fn general_error(errors: FormErrors) -> Signal<Option<String>> {
    errors.other_than(|at| {
        let in_row = at.starts_with("steps.0.fields.");
        in_row || SHOWN_ERRORS.contains(&at)
    })
}

/// The table with the record its examples come from, and a way to look at another one.
#[component]
pub fn MapSection(
    /// What is being edited.
    draft: MapDraft,
    /// The records to look at.
    #[prop(into)]
    sample: Signal<Vec<Value>>,
    /// What is wrong.
    errors: FormErrors,
) -> impl IntoView {
    let at = RwSignal::new(0_usize);
    let count = Signal::derive(move || sample.with(Vec::len));
    let place = Signal::derive(move || at.get().min(count.get().saturating_sub(1)));
    let example = Signal::derive(move || sample.with(|sample| sample.get(place.get()).cloned()));
    view! {
        <Show when=move || 1 < count.get()>
            <div class="row mapping-sample">
                <span class="small muted num">
                    {move || format!("Values of record {} of {}", place.get() + 1, count.get())}
                </span>
                <IconButton
                    icon=Icon::ChevronLeft
                    label="The record before"
                    disabled=Signal::derive(move || place.get() == 0)
                    on_click=move || at.set(place.get_untracked().saturating_sub(1))
                />
                <IconButton
                    icon=Icon::ChevronRight
                    label="The next record"
                    disabled=Signal::derive(move || place.get() + 1 >= count.get())
                    on_click=move || at.set(place.get_untracked() + 1)
                />
            </div>
        </Show>
        <MappingTable draft example errors/>
    }
}

/// The card with what becomes of the sample.
#[component]
pub fn PreviewCard(
    /// What becomes of it.
    #[prop(into)]
    preview: Signal<Preview>,
    /// The sample.
    #[prop(into)]
    sample: Signal<Vec<Value>>,
) -> impl IntoView {
    let summary = move || {
        preview.with(|preview| {
            let (stored, all) = (preview.stored(), preview.lines.len());
            let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
            if stored == all {
                format!(
                    "All {} would be stored",
                    plural(count(all), "record", "records")
                )
            } else {
                format!(
                    "{} of {} would be stored",
                    stored,
                    plural(count(all), "record", "records")
                )
            }
        })
    };
    view! {
        <Show when=move || !sample.with(Vec::is_empty)>
            <Card title="What is stored" test_id="preview" actions=move || view! {
                <span class="small muted num" data-testid="preview-summary">{summary}</span>
            }>
                <OutcomeTable preview/>
                <p class="tiny faint">
                    <span class="legend changed"></span> "changed by the type"
                    <span class="legend wrong"></span> "does not fit the type"
                </p>
            </Card>
        </Show>
    }
}

/// Takes the records for the preview from the feed, once they are there; later ones do not
/// replace them under the eyes of somebody who is editing.
fn fill_once(store: Store, sample: RwSignal<Vec<Value>>) {
    Effect::new(move || {
        if !sample.with_untracked(Vec::is_empty) {
            return;
        }
        let steps = store.pipeline.with_untracked(Pipeline::shared_steps);
        let (mut records, refused) = store.feed.events.with(|events| {
            let mut records = Vec::new();
            let mut refused = Vec::new();
            for event in events {
                match &event.what {
                    What::Stored(record) => {
                        records.push(Value::Object(mapping::undo(&steps, &record.object())));
                    }
                    What::Refused { received, .. } => refused.push(received.clone()),
                    What::RunFailed { .. } => {}
                }
            }
            (records, refused)
        });
        // Some of those with an error, too: they are what a change is made for.
        records.truncate(MAX_SAMPLE - refused.len().min(MAX_REFUSED));
        records.extend(refused.into_iter().take(MAX_REFUSED));
        if !records.is_empty() {
            sample.set(records);
        }
    });
}

/// Suggests a mapping from the sample, or takes another sample from the clipboard.
#[component]
fn SampleActs(draft: MapDraft, sample: RwSignal<Vec<Value>>, store: Store) -> impl IntoView {
    let open = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let toasts = use_toasts();
    let polled = Memo::new(move |_| {
        store.pipeline.with(|pipeline| match &pipeline.source {
            Source::HttpPollingSource(_) => Some(pipeline.id.clone()),
            _ => None,
        })
    });
    let fetch = move || {
        let Some(id) = polled.get_untracked() else {
            return;
        };
        busy.set(true);
        spawn_local(async move {
            match fetch_records(id).await {
                Ok(records) => sample.set(records.into_iter().take(MAX_SAMPLE).collect()),
                Err(message) => toasts.error(message),
            }
            busy.set(false);
        });
    };
    let suggest = move || {
        let fields = sample
            .with_untracked(|sample| sample_fields(sample.iter().filter_map(Value::as_object)));
        draft.suggest(&fields);
    };
    view! {
        <Show when=move || polled.with(Option::is_some)>
            <Button size=ButtonSize::Small icon=Icon::Refresh busy on_click=fetch test_id="fetch-sample">
                "Fetch fresh records"
            </Button>
        </Show>
        <Button size=ButtonSize::Small icon=Icon::Code on_click=move || open.set(true) test_id="paste-sample">
            "Try another record"
        </Button>
        <Show when=move || !sample.with(Vec::is_empty)>
            <Button size=ButtonSize::Small icon=Icon::Wand on_click=suggest test_id="suggest">"Suggest"</Button>
        </Show>
        <PasteDialog open sample/>
    }
}

#[component]
fn PasteDialog(open: RwSignal<bool>, sample: RwSignal<Vec<Value>>) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let error = RwSignal::new(None::<String>);
    let take = move || match serde_json::from_str::<Value>(&text.get_untracked()) {
        Ok(Value::Array(records)) if !records.is_empty() => {
            sample.set(records.into_iter().take(MAX_SAMPLE).collect());
            open.set(false);
        }
        Ok(record @ Value::Object(_)) => {
            sample.update(|sample| {
                sample.insert(0, record);
                sample.truncate(MAX_SAMPLE);
            });
            open.set(false);
        }
        Ok(_) => error.set(Some("Paste a JSON object, or an array of them.".to_owned())),
        Err(problem) => error.set(Some(format!("This is not JSON: {problem}."))),
    };
    let footer = move || {
        view! {
            <Button on_click=move || open.set(false)>"Cancel"</Button>
            <Button kind=ButtonKind::Primary on_click=take test_id="paste-go">"Use it"</Button>
        }
    };
    view! {
        <Dialog open on_close=move || open.set(false) title="Try another record" footer>
            <Field
                label="Record"
                error=error
                hint="A JSON object, or an array of them. It is only used here and not stored."
            >
                <TextArea
                    value=text
                    on_input=Callback::new(move |new| {
                        error.set(None);
                        text.set(new);
                    })
                    rows=10
                    mono=true
                    placeholder=r#"{"order": "A-1001", "total": "184.20"}"#
                    test_id="paste-text"
                />
            </Field>
        </Dialog>
    }
    .into_any()
}
