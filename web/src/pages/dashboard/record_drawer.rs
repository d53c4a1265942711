//! A drawer with one record of a table, whole: all its fields, not only the widget's columns.

use cynic::QueryBuilder;
use leptos::{prelude::*, task::spawn_local};
use serde_json::Value;

use super::operations::{NodeOfRecord, Record, RecordQuery, RecordVariables};
use crate::{
    api::{self, ApiError},
    components::{CodeBlock, Drawer, ErrorPanel, Skeleton, record_table::OpenedRow},
    format,
};

#[derive(Clone, Debug, PartialEq)]
enum Whole {
    Loading,
    Known(Record),
    /// It was deleted.
    Gone,
    Failed(ApiError),
}

/// Shows the opened record until it is closed.
#[component]
pub fn RecordDrawer(
    /// The record; none while the drawer is closed.
    opened: RwSignal<Option<OpenedRow>>,
) -> impl IntoView {
    let whole = RwSignal::new(Whole::Loading);
    let load = move || {
        let Some(now) = opened.get() else {
            return;
        };
        whole.set(Whole::Loading);
        spawn_local(async move {
            let found = find(&now).await;
            // Another record may have been opened meanwhile.
            if opened.try_get_untracked().flatten() == Some(now) {
                whole.set(found);
            }
        });
    };
    Effect::new(move |_| load());
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
        Whole::Gone => opened
            .get()
            .map(|row| view! {
                <p class="muted">"This record was deleted. These are its values in the table."</p>
                <CodeBlock label="Fields" code=pretty(&Value::Object(row.fields))/>
            })
            .into_any(),
        Whole::Failed(error) => {
            view! { <ErrorPanel error on_retry=move || untrack(load)/> }.into_any()
        }
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

async fn find(row: &OpenedRow) -> Whole {
    let id = cynic::Id::new(&row.id);
    match api::run(RecordQuery::build(RecordVariables { id })).await {
        Ok(RecordQuery {
            node: Some(NodeOfRecord::Record(record)),
        }) => Whole::Known(record),
        Ok(_) => Whole::Gone,
        Err(error) => Whole::Failed(error),
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
