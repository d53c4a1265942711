//! A drawer with one record of a table, whole: all its fields, not only the widget's columns.

use cynic::QueryBuilder;
use leptos::{prelude::*, task::spawn_local};
use serde_json::Value;

use super::operations::{NewestRecords, NewestRecordsVariables, Record};
use crate::{
    api,
    components::{CodeBlock, Drawer, Skeleton, record_table::OpenedRow},
    format,
};

/// The record that is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// The pipeline it belongs to.
    pub pipeline_id: String,
    /// What the table knows of it.
    pub row: OpenedRow,
}

#[derive(Clone, Debug, PartialEq)]
enum Whole {
    Loading,
    Known(Record),
    /// It is not among the newest, or could not be loaded.
    Unknown,
}

/// Shows the opened record until it is closed.
#[component]
pub fn RecordDrawer(
    /// The record; none while the drawer is closed.
    opened: RwSignal<Option<Opened>>,
) -> impl IntoView {
    let whole = RwSignal::new(Whole::Loading);
    Effect::new(move |_| {
        let Some(now) = opened.get() else {
            return;
        };
        whole.set(Whole::Loading);
        spawn_local(async move {
            let found = find(&now).await;
            // Another record may have been opened meanwhile.
            if opened.try_get_untracked().flatten() == Some(now) {
                whole.set(found.map_or(Whole::Unknown, Whole::Known));
            }
        });
    });
    let is_open = Signal::derive(move || opened.with(Option::is_some));
    let body = move || {
        match whole.get() {
        Whole::Loading => view! { <Skeleton height="240px"/> }.into_any(),
        Whole::Known(record) => view! {
            <dl class="record-facts">
                <div><dt>"Time"</dt><dd class="num">{format::date_time(record.time.ms())}</dd></div>
                <div>
                    <dt>"Received"</dt>
                    <dd class="num">{format::date_time(record.received_at.ms())}</dd>
                </div>
                <div><dt>"Record"</dt><dd><code>{record.id.into_inner()}</code></dd></div>
            </dl>
            <CodeBlock label="Fields" code=pretty(&record.fields.0)/>
        }
        .into_any(),
        Whole::Unknown => opened
            .get()
            .map(|opened| view! {
                <p class="muted">
                    "Only the newest records can be shown whole. This one is older: these are the \
                     values in the table."
                </p>
                <CodeBlock label="Fields" code=pretty(&Value::Object(opened.row.fields))/>
            })
            .into_any(),
    }
    };
    view! {
        <Drawer
            open=is_open
            on_close=move || opened.set(None)
            title="Record"
            test_id="record-drawer"
        >
            <div class="stack">{body}</div>
        </Drawer>
    }
}

async fn find(opened: &Opened) -> Option<Record> {
    let variables = NewestRecordsVariables {
        id: cynic::Id::new(&opened.pipeline_id),
    };
    let newest = api::run(NewestRecords::build(variables)).await.ok()?;
    let records = newest.pipeline.records.nodes;
    records
        .into_iter()
        .find(|record| record.id.inner() == opened.row.id)
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
