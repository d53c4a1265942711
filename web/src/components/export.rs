//! The choice of a file for all records of a pipeline, as items of a menu.

use leptos::{prelude::*, task::spawn_local};

use super::{Icon, MenuItem, use_toasts};
use crate::api::{
    exports::{self, ExportFormat, ExportVariables},
    questions::{FilterInput, TimeRangeInput},
};

/// Which records are saved.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The pipeline's global id.
    pub pipeline_id: cynic::Id,
    /// Of which time; of all without one.
    pub range: Option<TimeRangeInput>,
    /// What they have to meet.
    pub filters: Vec<FilterInput>,
}

/// Saves records as CSV or NDJSON.
#[component]
pub fn ExportItems(
    /// Which records.
    #[prop(into)]
    exported: Callback<(), Exported>,
) -> impl IntoView {
    let toasts = use_toasts();
    let save = move |format: ExportFormat| {
        let Exported {
            pipeline_id,
            range,
            filters,
        } = exported.run(());
        let asked = ExportVariables {
            id: pipeline_id,
            format,
            range,
            filters,
        };
        spawn_local(async move {
            match exports::save(asked).await {
                Ok(()) => toasts.success("The browser saves the file while Dash writes it."),
                Err(error) => toasts.api_error(&error),
            }
        });
    };
    view! {
        <MenuItem
            icon=Icon::Download
            on_click=move || save(ExportFormat::Csv)
            test_id="export-csv"
        >
            "Export as CSV"
        </MenuItem>
        <MenuItem
            icon=Icon::Download
            on_click=move || save(ExportFormat::Ndjson)
            test_id="export-ndjson"
        >
            "Export as NDJSON"
        </MenuItem>
    }
}
