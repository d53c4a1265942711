//! One pipeline in the list, with its menu.

use leptos::{prelude::*, task::spawn_local};

use super::List;
use crate::api::pipelines::PipelineState;
use crate::components::sparkline::Sparkline;
use crate::components::{
    ConfirmDialog, Icon, IconView, Menu, MenuItem, MenuSeparator, RelativeTime, use_toasts,
};
use crate::format::{count, whole};
use crate::pages::pipeline::acts::{Act, act, delete};
use crate::pages::pipeline::flow::source_icon;
use crate::pages::pipeline::head::{StateTag, can_run};
use crate::pages::pipeline::queries::{PipelineRow, RunState};
use crate::pages::pipeline::settings_tab::delete_warning;
use crate::pages::pipeline::words;
use crate::session::use_session;

/// A row of the table; it follows the list's own copy of the pipeline.
#[component]
pub fn Row(
    /// Which pipeline.
    id: cynic::Id,
    /// The list it is in.
    list: List,
) -> impl IntoView {
    let own = id.clone();
    let find = move || {
        list.rows
            .with(|rows| rows.iter().flatten().find(|row| row.id == own).cloned())
    };
    let Some(first) = untrack(&find) else {
        return ().into_any();
    };
    let row = Memo::new(move |before: Option<&PipelineRow>| {
        find()
            .or_else(|| before.cloned())
            .unwrap_or_else(|| first.clone())
    });
    let href = format!("/pipelines/{}", id.inner());
    let name = Signal::derive(move || row.with(|row| row.name.clone()));
    let state = Signal::derive(move || row.with(|row| row.state));
    let throughput = Signal::derive(move || {
        row.with(|row| {
            row.throughput
                .iter()
                .map(|value| Some(f64::from(*value)))
                .collect::<Vec<_>>()
        })
    });
    let last_at = Signal::derive(move || {
        row.with(|row| row.last_run.as_ref().map(|run| run.finished_at.ms()))
    });
    let hour = move || {
        let sum = row.with(|row| row.throughput.iter().map(|value| i64::from(*value)).sum());
        count(sum)
    };
    let color = Signal::derive(move || match state.get() {
        PipelineState::Running => 1,
        PipelineState::Paused => 8,
        PipelineState::Failing => 5,
    });
    view! {
        <tr class="pipeline-row" data-testid="pipeline-row">
            <td class="pipeline-cell" data-label="Pipeline">
                <a href=href class="pipeline-link">
                    <span class="flow-icon">
                        {move || view! { <IconView icon=row.with(|row| source_icon(&row.source))/> }}
                    </span>
                    <span class="pipeline-words">
                        <b>{name}</b>
                        <span class="tiny faint">{move || row.with(|row| words::source_detail(&row.source))}</span>
                    </span>
                </a>
            </td>
            <td data-label="State"><StateTag state/></td>
            <td class="r num" data-label="Records">{move || count(whole(row.with(|row| row.record_count)))}</td>
            <td data-label="Last hour">
                <span class="throughput" title=move || format!("{} records in the last hour", hour())>
                    <Sparkline values=throughput color/>
                    <span class="tiny faint num">{hour}</span>
                </span>
            </td>
            <td data-label="Last run"><RelativeTime at_ms=last_at otherwise="not yet"/></td>
            <td data-label="Errors">{move || errors_view(&row.get())}</td>
            <td class="r row-menu"><RowMenu row list/></td>
        </tr>
    }
    .into_any()
}

fn errors_view(row: &PipelineRow) -> AnyView {
    let Some(run) = &row.last_run else {
        return view! { <span class="faint">"–"</span> }.into_any();
    };
    match (&run.error, run.failed, run.state) {
        (Some(error), ..) => {
            let (what, advice) = words::error_words(error.code);
            let title = format!("{} {advice}", error.message);
            view! { <span class="bad-text small row-error" title=title>{what}</span> }.into_any()
        }
        (None, failed, RunState::Partial | RunState::Failed) if failed > 0 => {
            let text = format!("{} in the last run", count(failed.into()));
            view! { <span class="bad-text small num">{text}</span> }.into_any()
        }
        _ => view! { <span class="faint">"none"</span> }.into_any(),
    }
}

#[component]
fn RowMenu(row: Memo<PipelineRow>, list: List) -> impl IntoView {
    let (open, busy) = (RwSignal::new(false), RwSignal::new(false));
    let (toasts, session) = (use_toasts(), use_session());
    let id = move || row.with_untracked(|row| row.id.clone());
    let run = move |wanted: Act| {
        let id = id();
        // Shown at once; taken back when the API says no.
        let before = row.with_untracked(|row| row.state);
        let expected = match wanted {
            Act::Pause => PipelineState::Paused,
            Act::Resume => PipelineState::Running,
            Act::Run => before,
        };
        list.change(&id, |row| row.state = expected);
        spawn_local(async move {
            let changed = act(wanted, id.clone(), toasts).await;
            let state = changed.map_or(before, |pipeline| pipeline.state);
            list.change(&id, |row| row.state = state);
            list.reload();
        });
    };
    let go = move || {
        let (id, name) = (id(), row.with_untracked(|row| row.name.clone()));
        busy.set(true);
        spawn_local(async move {
            let deleted = delete(id.clone(), &name, toasts).await;
            busy.set(false);
            if deleted {
                open.set(false);
                list.remove(&id);
                session.refresh_directory();
            }
        });
    };
    let is_paused = Memo::new(move |_| row.with(|row| row.state == PipelineState::Paused));
    let runs = Signal::derive(move || row.with(|row| can_run(&row.source)) && !is_paused.get());
    let base = move || format!("/pipelines/{}", id().inner());
    view! {
        <Menu label=format!("Acts for {}", row.with_untracked(|row| row.name.clone())) test_id="row-menu">
            <Show
                when=move || is_paused.get()
                fallback=move || view! {
                    <MenuItem icon=Icon::Pause on_click=move || run(Act::Pause) test_id="row-pause">"Pause"</MenuItem>
                }
            >
                <MenuItem icon=Icon::Play on_click=move || run(Act::Resume) test_id="row-resume">"Resume"</MenuItem>
            </Show>
            <MenuItem icon=Icon::Refresh disabled=Signal::derive(move || !runs.get()) on_click=move || run(Act::Run) test_id="row-run">
                "Run now"
            </MenuItem>
            <MenuItem icon=Icon::Wand href=format!("{}/transform", base())>"Edit transform"</MenuItem>
            <MenuSeparator/>
            <MenuItem icon=Icon::Trash danger=true on_click=move || open.set(true) test_id="row-delete">"Delete…"</MenuItem>
        </Menu>
        <ConfirmDialog
            open
            on_close=move || open.set(false)
            title=Signal::derive(move || format!("Delete “{}”?", row.with(|row| row.name.clone())))
            message=Signal::derive(move || delete_warning(whole(row.with(|row| row.record_count))))
            confirm="Delete pipeline"
            typed_name=Signal::derive(move || row.with(|row| row.name.clone()))
            busy
            on_confirm=Callback::new(move |()| go())
        />
    }
    .into_any()
}
