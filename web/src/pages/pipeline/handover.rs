//! Handing files over to a pipeline: dropped or chosen, with progress, and what became of each. A
//! part of its own, in the steps of a new pipeline and on the tab “Source”.

mod operations;

use std::time::Duration;

use cynic::QueryBuilder;
use gloo_net::http::Request;
use leptos::{prelude::*, task::spawn_local};
use serde_json::Value;
use wasm_bindgen::JsValue;
use web_sys::{AbortController, DragEvent, File};

use self::operations::{Upload, UploadState, UploadsQuery, UploadsVariables};
use crate::api;
use crate::components::{Banner, Button, ButtonSize, Card, Icon, IconView, Meter, Tag, Tone};
use crate::format;
use dash_shared::sources::MAX_UPLOAD_BYTES;

/// How often progress is asked for while a file arrives.
const PERIOD: Duration = Duration::from_secs(1);
/// What a file chooser offers.
const ACCEPTED: &str = ".csv,.tsv,.json,.ndjson,.jsonl,text/csv,application/json";

/// What the files of one pipeline share.
#[derive(Clone, Copy)]
struct Files {
    id: StoredValue<cynic::Id>,
    seen: RwSignal<Vec<Upload>>,
    /// Ends the file that is being sent.
    sending: StoredValue<Option<AbortController>, LocalStorage>,
    busy: RwSignal<bool>,
    /// Why a file was not even begun.
    refused: RwSignal<Option<String>>,
    /// A file that was stored before, to be stored again if that is wanted.
    known: StoredValue<Option<File>, LocalStorage>,
    is_known: RwSignal<bool>,
}

/// The place for files, and the last ones.
#[component]
pub fn Handover(
    /// The pipeline.
    id: cynic::Id,
) -> impl IntoView {
    let files = Files {
        id: StoredValue::new(id),
        seen: RwSignal::new(Vec::new()),
        sending: StoredValue::new_local(None),
        busy: RwSignal::new(false),
        refused: RwSignal::new(None),
        known: StoredValue::new_local(None),
        is_known: RwSignal::new(false),
    };
    look(files);
    let watching = set_interval_with_handle(
        move || {
            let is_arriving = |upload: &Upload| upload.state == UploadState::Receiving;
            let somewhere = files
                .seen
                .try_with_untracked(|seen| seen.iter().any(is_arriving));
            if files.busy.try_get_untracked() == Some(true) || somewhere == Some(true) {
                look(files);
            }
        },
        PERIOD,
    );
    on_cleanup(move || {
        if let Ok(watching) = watching {
            watching.clear();
        }
    });
    view! {
        <Card title="Hand over a file" test_id="handover">
            <DropZone files/>
            {move || files.refused.get().map(|message| view! {
                <Banner tone=Tone::Bad test_id="upload-refused"><p>{message}</p></Banner>
            })}
            <Show when=move || files.is_known.get()>
                <Banner tone=Tone::Warn test_id="upload-known">
                    <p>"All of this file was stored before, so nothing was stored again."</p>
                    <Button size=ButtonSize::Small on_click=move || {
                        if let Some(file) = files.known.try_update_value(Option::take).flatten() {
                            send(files, file, true);
                        }
                    } test_id="upload-again">"Store it again"</Button>
                </Banner>
            </Show>
            <ul class="stack" data-testid="uploads" aria-live="polite">
                {move || files.seen.get().into_iter().map(|upload| view! { <UploadRow upload files/> }).collect_view()}
            </ul>
        </Card>
    }
    .into_any()
}

#[component]
fn DropZone(files: Files) -> impl IntoView {
    let (over, input) = (RwSignal::new(false), NodeRef::<leptos::html::Input>::new());
    let drop = move |event: DragEvent| {
        event.prevent_default();
        over.set(false);
        let dropped = event.data_transfer().and_then(|data| data.files());
        if let Some(file) = dropped.and_then(|files| files.get(0)) {
            send(files, file, false);
        }
    };
    let choose = move |_| {
        if let Some(input) = input.get_untracked() {
            if let Some(file) = input.files().and_then(|files| files.get(0)) {
                send(files, file, false);
            }
            // The same file can be chosen again.
            input.set_value("");
        }
    };
    view! {
        <label
            class="drop-zone"
            class:over=over
            on:dragover=move |event| {
                event.prevent_default();
                over.set(true);
            }
            on:dragleave=move |_| over.set(false)
            on:drop=drop
            data-testid="drop-zone"
        >
            <IconView icon=Icon::Plus/>
            <b>"Drop a file here, or choose one"</b>
            <span class="muted small">
                {format!("CSV, TSV, NDJSON or JSON, {} at most", format::bytes(to_f64(MAX_UPLOAD_BYTES)))}
            </span>
            <input
                node_ref=input
                type="file"
                class="visually-hidden"
                accept=ACCEPTED
                disabled=files.busy
                on:change=choose
                data-testid="file-input"
            />
        </label>
    }
    .into_any()
}

#[component]
fn UploadRow(upload: Upload, files: Files) -> impl IntoView {
    let is_arriving = upload.state == UploadState::Receiving;
    let (tone, word) = match upload.state {
        UploadState::Receiving => (Tone::Accent, "Arriving"),
        UploadState::Done if upload.failed > 0 => (Tone::Warn, "Read, with errors"),
        UploadState::Done => (Tone::Ok, "Done"),
        UploadState::Failed => (Tone::Bad, "Failed"),
        UploadState::Cancelled => (Tone::Neutral, "Cancelled"),
    };
    let mut counts = vec![format::plural(
        upload.stored.into(),
        "record stored",
        "records stored",
    )];
    if upload.failed > 0 {
        counts.push(format!("{} failed", format::count(upload.failed.into())));
    }
    if upload.duplicates > 0 {
        counts.push(format!(
            "{} were there before",
            format::count(upload.duplicates.into())
        ));
    }
    let (read, total) = (upload.bytes_read, upload.total_bytes);
    let lines = upload.errors.into_iter().map(|error| {
        view! { <li>{format!("Line {}: {}", error.line, error.message)}</li> }
    });
    let lines = lines.collect_view();
    let progress = is_arriving.then(|| {
        view! {
            <Meter value=read max=total.unwrap_or(read) label="How much was read" warns=false/>
            <div class="row">
                <Button size=ButtonSize::Small icon=Icon::Close on_click=move || cancel(files) test_id="cancel-upload">"Cancel"</Button>
            </div>
        }
    });
    view! {
        <li class="stack" data-testid="upload">
            <div class="row">
                <b>{upload.name}</b>
                <Tag tone>{word}</Tag>
                <span class="muted small">{counts.join(" · ")}</span>
            </div>
            {progress}
            {upload.error.map(|error| view! { <p class="small">{error.message}</p> })}
            <ul class="small muted" data-testid="upload-errors">{lines}</ul>
        </li>
    }
    .into_any()
}

/// Asks how far the files are.
fn look(files: Files) {
    let variables = UploadsVariables {
        id: files.id.get_value(),
    };
    spawn_local(async move {
        // What could not be asked now is asked in a second.
        if let Ok(answer) = api::run(UploadsQuery::build(variables)).await {
            let _gone = files.seen.try_set(answer.pipeline.uploads.nodes);
        }
    });
}

fn cancel(files: Files) {
    files.sending.with_value(|sending| {
        if let Some(sending) = sending {
            sending.abort();
        }
    });
}

/// Sends a file, unless another one is on its way.
fn send(files: Files, file: File, again: bool) {
    if files.busy.get_untracked() {
        return;
    }
    files.refused.set(None);
    files.is_known.set(false);
    if file.size() > to_f64(MAX_UPLOAD_BYTES) {
        let message = "The file is too large. Split it, and send the parts one after the other.";
        files.refused.set(Some(message.to_owned()));
        return;
    }
    let Ok(controller) = AbortController::new() else {
        return;
    };
    let name = String::from(js_sys::encode_uri_component(&file.name()));
    let id = files.id.with_value(|id| id.inner().to_owned());
    let url = format!("/v1/pipelines/{id}/uploads?name={name}&again={again}");
    let request = Request::post(&url)
        .abort_signal(Some(&controller.signal()))
        .body(JsValue::from(file.clone()));
    files.sending.set_value(Some(controller));
    files.busy.set(true);
    spawn_local(async move {
        let told = match request {
            Ok(request) => request.send().await,
            Err(error) => Err(error),
        };
        let answer = match told {
            Ok(answer) => answer.json::<Value>().await.ok(),
            // Cancelled, or the connection is lost: the list says so.
            Err(_) => None,
        };
        if let Some(answer) = answer {
            if answer["uploadId"].is_null() {
                let message = answer["error"]["message"].as_str().unwrap_or_default();
                let _gone = files.refused.try_set(Some(message.to_owned()));
            } else if answer["duplicate"] == true {
                files.known.try_set_value(Some(file));
                let _gone = files.is_known.try_set(true);
            }
        }
        let _gone = files.busy.try_set(false);
        look(files);
    });
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a size of a file, far less than 2^53"
)]
const fn to_f64(bytes: u64) -> f64 {
    bytes as f64
}
