//! Add fields of another pipeline's latest record.

use cynic::QueryBuilder;
use dash_shared::fields::SampledField;
use leptos::{prelude::*, task::spawn_local};
use serde_json::json;

use super::super::inputs::fields::FieldBox;
use super::super::inputs::{
    Place, Rows, field_input, group, name_input, rows, switch, word_select,
};
use super::map::TYPES;
use crate::api::{self, schema};
use crate::components::{Field, Select, SelectOption};
use crate::pages::pipeline::queries::{FieldType, PipelineVariables, PipelineVariablesFields};
use crate::pages::pipeline::use_store;
use crate::session::use_session;

/// A field of another pipeline.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Field")]
struct OtherField {
    path: String,
    #[cynic(rename = "type")]
    holds: FieldType,
    example: Option<String>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Pipeline")]
struct OtherPipeline {
    fields: Vec<OtherField>,
}

/// Asks for the fields of another pipeline.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "PipelineVariables")]
struct OtherFieldsQuery {
    #[arguments(id: $id)]
    pipeline: OtherPipeline,
}

/// The fields of the joined pipeline, for the rows.
#[derive(Clone, Copy)]
struct Others(RwSignal<Vec<SampledField>>);

pub fn form(place: Place) -> AnyView {
    let (session, store) = (use_session(), use_store());
    let own = store
        .pipeline
        .with_untracked(|pipeline| pipeline.id.clone());
    let chosen = place.text("pipeline");
    let others = Others(RwSignal::default());
    provide_context(others);
    Effect::new(move || {
        let id = chosen.get();
        others.0.set(Vec::new());
        if !id.is_empty() {
            spawn_local(load(others, id));
        }
    });
    let options = Signal::derive(move || {
        let directory = session.directory();
        let names = directory
            .map(|directory| directory.pipelines.nodes)
            .unwrap_or_default();
        let mut options = vec![SelectOption::new("", "Choose a pipeline")];
        options.extend(
            names
                .into_iter()
                .filter(|pipeline| pipeline.id != own)
                .map(|pipeline| SelectOption::new(pipeline.id.into_inner(), pipeline.name)),
        );
        let now = chosen.get();
        if !options.iter().any(|option| option.value == now) {
            options.push(SelectOption::new(now, "A pipeline that is not in the list"));
        }
        options
    });
    let on_change = Callback::new(move |id: String| place.set_text("pipeline", id));
    let on_matches = Callback::new(move |path: String| place.set_text("matches", path));
    let error = place.error("matches");
    let matches = view! {
        <FieldBox
            value=place.text("matches")
            on_input=on_matches
            fields=others.0
            label="Is the same as its field"
            is_wrong=Signal::derive(move || error.with(Option::is_some))
        />
    };
    view! {
        <Field label="Pipeline" error=place.error("pipeline")>
            <Select value=chosen on_change options test_id="join-pipeline"/>
        </Field>
        <div class="work-pair">
            {field_input(place, "field", "Field of this record", None, false)}
            {group("Is the same as its field", error, None, false, matches.into_any())}
        </div>
        {rows(place, Rows {
            at: "take",
            noun: "field",
            heads: &["Take", "Call it", "Type"],
            blank: || json!({ "from": "", "to": "" }),
            inputs: taken,
            told: &["from", "to", "cast"],
            is_ordered: false,
        })}
        {switch(place, "required", "It is an error when there is no such record")}
    }
    .into_any()
}

fn taken(place: Place, at: String, number: usize) -> AnyView {
    let others = use_context::<Others>().map(|others| others.0);
    let from = format!("{at}.from");
    let error = place.error(from.clone());
    let value = place.text(from.clone());
    let on_input = Callback::new(move |path: String| place.set_text(&from, path));
    view! {
        <FieldBox
            value
            on_input
            fields=Signal::derive(move || others.map(|others| others.get()).unwrap_or_default())
            label=format!("Field {number} of the other record")
            is_wrong=Signal::derive(move || error.with(Option::is_some))
        />
        {name_input(place, format!("{at}.to"), format!("Name of field {number}"), "Name")}
        {word_select(place, format!("{at}.cast"), Some(format!("Type of field {number}")), TYPES)}
    }
    .into_any()
}

async fn load(others: Others, id: String) {
    use dash_shared::fields::FieldType as Shared;
    let variables = PipelineVariables {
        id: cynic::Id::new(id),
    };
    // Without an answer, a path can be typed all the same.
    let Ok(answer) = api::run(OtherFieldsQuery::build(variables)).await else {
        return;
    };
    let fields = answer.pipeline.fields.into_iter().filter_map(|field| {
        Some(SampledField {
            path: field.path.parse().ok()?,
            field_type: match field.holds {
                FieldType::Text => Shared::Text,
                FieldType::Number => Shared::Number,
                FieldType::Boolean => Shared::Boolean,
                FieldType::Time => Shared::Time,
            },
            example: field.example,
        })
    });
    let _gone = others.0.try_set(fields.collect());
}
