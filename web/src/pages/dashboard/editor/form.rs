//! The fields of the widget editor. Each shows only what its kind of widget uses.

use dash_shared::{
    fields::{FieldType, SampledField},
    widgets::{Aggregate, PALETTE_COLORS, TrendMeaning, WidgetKind, label},
};
use leptos::prelude::*;

use super::{
    super::tiles::Definition,
    columns::Columns,
    filters::{self, Filters},
    sources::Sources,
};
use crate::{
    api::errors::FormErrors,
    components::{
        Banner, Choice, Field, Icon, Input, RadioCards, Select, SelectOption, Tone, unique_id,
    },
};

/// The paths of the fields that show their own errors.
const FIELDS: [&str; 6] = [
    "title",
    "pipelineId",
    "field",
    "groupBy",
    "unit",
    "decimals",
];
/// Whether the field at this path shows its own errors.
pub fn shows_error_of(path: &str) -> bool {
    FIELDS.contains(&path) || filters::shows_error_of(path)
}

/// The value of "none" in a list.
const NONE: &str = "";
const GROUPING: [FieldType; 2] = [FieldType::Text, FieldType::Boolean];
const ANY: [FieldType; 4] = [
    FieldType::Text,
    FieldType::Number,
    FieldType::Boolean,
    FieldType::Time,
];

/// All fields.
#[component]
pub fn Form(draft: RwSignal<Definition>, sources: Sources, errors: FormErrors) -> impl IntoView {
    let kind = Memo::new(move |_| draft.with(|draft| draft.kind));
    let is_table = move || kind.get() == WidgetKind::Table;
    let is_line = move || kind.get() == WidgetKind::Line;
    let is_stat = move || kind.get() == WidgetKind::Stat;
    let natural = move || draft.with(Definition::natural_title);
    let pipeline_id = Memo::new(move |_| draft.with(|draft| draft.pipeline_id.clone()));
    let all_fields = Memo::new(move |_| sources.fields(&pipeline_id.get(), &ANY));
    let paths = Memo::new(move |_| {
        all_fields.with(|fields| {
            let paths = fields.iter().map(|field| field.path.to_string());
            paths.collect::<Vec<_>>()
        })
    });
    view! {
        <KindCards draft/>
        <PipelineField draft sources errors/>
        <Show when=move || !is_table()>
            <FigureFields draft sources errors/>
        </Show>
        <Show when=is_line>
            <GroupField draft sources errors/>
        </Show>
        <Show when=is_table>
            <Columns draft fields=paths/>
        </Show>
        <Filters draft fields=all_fields errors/>
        <Field
            label="Title"
            optional=true
            error=errors.field("title")
            hint=Signal::derive(move || format!("Left empty, it is “{}”.", natural()))
        >
            <Input
                value=Signal::derive(move || draft.with(|draft| draft.title.clone()))
                on_input=Callback::new(move |title| {
                    errors.clear_field("title");
                    draft.update(|draft| draft.title = title);
                })
                test_id="widget-title"
            />
        </Field>
        <Show when=move || !is_table()>
            <UnitFields draft errors/>
            <Show when=is_stat>
                <TrendField draft/>
            </Show>
            <ColorField draft/>
        </Show>
    }
}

#[component]
fn KindCards(draft: RwSignal<Definition>) -> impl IntoView {
    let choices = vec![
        Choice::new("stat", "Figure")
            .text("One number and its trend")
            .icon(Icon::Stat),
        Choice::new("line", "Lines")
            .text("A number over time")
            .icon(Icon::Line),
        Choice::new("table", "Table")
            .text("The newest records")
            .icon(Icon::Table),
    ];
    let value = Signal::derive(move || {
        let word = match draft.with(|draft| draft.kind) {
            WidgetKind::Stat => "stat",
            WidgetKind::Line => "line",
            WidgetKind::Table => "table",
        };
        word.to_owned()
    });
    let on_change = Callback::new(move |word: String| {
        draft.update(|draft| {
            draft.kind = match word.as_str() {
                "line" => WidgetKind::Line,
                "table" => WidgetKind::Table,
                _ => WidgetKind::Stat,
            };
        });
    });
    view! {
        <div class="editor-kinds">
            <RadioCards label="Kind of widget" choices value on_change/>
        </div>
    }
}

#[component]
fn PipelineField(
    draft: RwSignal<Definition>,
    sources: Sources,
    errors: FormErrors,
) -> impl IntoView {
    let options = Signal::derive(move || {
        let chosen = draft.with(|draft| draft.pipeline_id.clone());
        let names = sources.names();
        let is_missing = !names.iter().any(|(id, _)| *id == chosen);
        let placeholder = if !chosen.is_empty() && sources.is_known() {
            "A pipeline that is gone"
        } else if sources.is_known() {
            "Choose a pipeline"
        } else {
            "Loading…"
        };
        is_missing
            .then(|| SelectOption::new(chosen, placeholder))
            .into_iter()
            .chain(
                names
                    .into_iter()
                    .map(|(id, name)| SelectOption::new(id, name)),
            )
            .collect()
    });
    // Fields of one pipeline mean nothing in another.
    let on_change = Callback::new(move |id: String| {
        errors.clear();
        draft.update(|draft| {
            let kind = draft.kind;
            *draft = Definition {
                color: draft.color,
                ..Definition::new(kind, id)
            };
        });
    });
    let has_none = move || sources.is_known() && sources.first().is_none();
    view! {
        <Field label="Pipeline" error=errors.field("pipelineId")>
            <Select
                value=Signal::derive(move || draft.with(|draft| draft.pipeline_id.clone()))
                on_change
                options
                test_id="widget-pipeline"
            />
        </Field>
        <Show when=has_none>
            <Banner>
                "There are no pipelines yet. "
                <a class="link" href="/pipelines/new">"Create one"</a>
                " and its records can be shown here."
            </Banner>
        </Show>
        {move || sources.failure().map(|message| view! { <Banner tone=Tone::Bad>{message}</Banner> })}
    }
}

#[component]
fn FigureFields(
    draft: RwSignal<Definition>,
    sources: Sources,
    errors: FormErrors,
) -> impl IntoView {
    let figure = Memo::new(move |_| draft.with(|d| (d.pipeline_id.clone(), d.aggregate)));
    let usable = Memo::new(move |_| {
        figure
            .with(|(pipeline_id, aggregate)| sources.fields(pipeline_id, usable_types(*aggregate)))
    });
    let counts = Memo::new(move |_| draft.with(|draft| draft.aggregate == Aggregate::Count));
    let aggregates = Aggregate::ALL
        .iter()
        .enumerate()
        .map(|(index, (aggregate, word))| {
            let words = match aggregate {
                Aggregate::Count => "Count of records",
                _ => word,
            };
            SelectOption::new(index.to_string(), words)
        })
        .collect::<Vec<_>>();
    let aggregate = Signal::derive(move || {
        let now = draft.with(|draft| draft.aggregate);
        let at = Aggregate::ALL
            .iter()
            .position(|(aggregate, _)| *aggregate == now);
        at.unwrap_or_default().to_string()
    });
    let choose_aggregate = Callback::new(move |index: String| {
        errors.clear_field("field");
        let chosen = index
            .parse()
            .ok()
            .and_then(|index: usize| Aggregate::ALL.get(index));
        let aggregate = chosen.map_or(Aggregate::Count, |(aggregate, _)| *aggregate);
        // Read before the draft is written: the fields depend on it.
        let fields =
            draft.with_untracked(|draft| untrack(|| sources.fields(&draft.pipeline_id, &ANY)));
        draft.update(|draft| {
            draft.aggregate = aggregate;
            if aggregate != Aggregate::Count {
                choose_field(draft, &fields);
            }
        });
    });
    let field_options = Signal::derive(move || {
        let chosen = draft.with(|draft| draft.field.clone().unwrap_or_default());
        let mut options: Vec<SelectOption> = usable.with(|fields| {
            let option = |field: &SampledField| {
                let example = field.example.as_deref().unwrap_or("no example");
                SelectOption::new(field.path.as_str(), format!("{} ({example})", field.path))
            };
            fields.iter().map(option).collect()
        });
        if !options.iter().any(|option| option.value == chosen) {
            let words = if chosen.is_empty() {
                "Choose a field".to_owned()
            } else {
                chosen.clone()
            };
            options.insert(0, SelectOption::new(chosen, words));
        }
        options
    });
    let hint = move || {
        let takes_all = draft.with(|draft| !draft.aggregate.needs_numbers());
        match (takes_all, sources.is_known() && usable.with(Vec::is_empty)) {
            (true, false) => "Counts how many different values there are.",
            (true, true) => "There are no records of this pipeline yet.",
            (false, false) => "Fields that hold numbers.",
            (false, true) => "The newest records of this pipeline have no number.",
        }
    };
    view! {
        <div class="editor-pair">
            <Field label="Show">
                <Select
                    value=aggregate
                    on_change=choose_aggregate
                    options=aggregates
                    test_id="widget-aggregate"
                />
            </Field>
            <Show when=move || !counts.get()>
                <Field
                    label="Of"
                    error=errors.field("field")
                    hint=Signal::derive(move || hint().to_owned())
                >
                    <Select
                        value=Signal::derive(move || {
                            draft.with(|draft| draft.field.clone().unwrap_or_default())
                        })
                        on_change=Callback::new(move |path: String| {
                            errors.clear_field("field");
                            draft.update(|draft| draft.field = Some(path).filter(|p| p != NONE));
                        })
                        options=field_options
                        test_id="widget-field"
                    />
                </Field>
            </Show>
        </div>
    }
}

/// The types of the fields that an aggregate can be told of.
const fn usable_types(aggregate: Aggregate) -> &'static [FieldType] {
    if aggregate.needs_numbers() {
        &[FieldType::Number]
    } else {
        &ANY
    }
}

/// Takes the first field that suits the aggregate, unless the chosen one does or is not known.
fn choose_field(draft: &mut Definition, fields: &[SampledField]) {
    let suits = |field: &&SampledField| usable_types(draft.aggregate).contains(&field.field_type);
    let chosen = fields
        .iter()
        .find(|field| draft.field.as_deref() == Some(field.path.as_str()));
    let keeps = match chosen {
        Some(chosen) => suits(&chosen),
        None => draft.field.is_some(),
    };
    if !keeps {
        let first = fields.iter().find(suits);
        draft.field = first.map(|field| field.path.to_string());
    }
}

#[component]
fn GroupField(draft: RwSignal<Definition>, sources: Sources, errors: FormErrors) -> impl IntoView {
    let options = Signal::derive(move || {
        let pipeline_id = draft.with(|draft| draft.pipeline_id.clone());
        let chosen = draft.with(|draft| draft.group_by.clone());
        let mut options = vec![SelectOption::new(NONE, "Nothing: one line")];
        let fields = sources.fields(&pipeline_id, &GROUPING);
        options.extend(fields.into_iter().map(|field| {
            let words = format!("{} ({})", label(&field.path), field.path);
            SelectOption::new(field.path.as_str(), words)
        }));
        if let Some(chosen) = chosen
            && !options.iter().any(|option| option.value == chosen)
        {
            options.push(SelectOption::new(chosen.clone(), chosen));
        }
        options
    });
    view! {
        <Field label="One line for each" error=errors.field("groupBy")>
            <Select
                value=Signal::derive(move || {
                    draft.with(|draft| draft.group_by.clone().unwrap_or_default())
                })
                on_change=Callback::new(move |path: String| {
                    draft.update(|draft| draft.group_by = Some(path).filter(|path| path != NONE));
                })
                options
                test_id="widget-group-by"
            />
        </Field>
    }
}

#[component]
fn UnitFields(draft: RwSignal<Definition>, errors: FormErrors) -> impl IntoView {
    let decimals = [
        ("", "As needed"),
        ("0", "0"),
        ("1", "1"),
        ("2", "2"),
        ("3", "3"),
        ("4", "4"),
    ]
    .map(|(value, words)| SelectOption::new(value, words))
    .to_vec();
    view! {
        <div class="editor-pair">
            <Field label="Unit" optional=true error=errors.field("unit")>
                <Input
                    value=Signal::derive(move || draft.with(|draft| draft.unit.clone()))
                    on_input=Callback::new(move |unit| {
                        errors.clear_field("unit");
                        draft.update(|draft| draft.unit = unit);
                    })
                    placeholder="€, ms, %"
                    test_id="widget-unit"
                />
            </Field>
            <Field label="Decimals" error=errors.field("decimals")>
                <Select
                    value=Signal::derive(move || {
                        let decimals = draft.with(|draft| draft.decimals);
                        decimals.map_or_else(String::new, |decimals| decimals.to_string())
                    })
                    on_change=Callback::new(move |text: String| {
                        draft.update(|draft| draft.decimals = text.parse().ok());
                    })
                    options=decimals
                    test_id="widget-decimals"
                />
            </Field>
        </div>
    }
}

#[component]
fn TrendField(draft: RwSignal<Definition>) -> impl IntoView {
    let options = [("good", "Good"), ("bad", "Bad"), ("neutral", "Neither")]
        .map(|(value, words)| SelectOption::new(value, words))
        .to_vec();
    let value = Signal::derive(move || {
        let word = match draft.with(|draft| draft.trend_meaning) {
            TrendMeaning::UpIsGood => "good",
            TrendMeaning::UpIsBad => "bad",
            TrendMeaning::Neutral => "neutral",
        };
        word.to_owned()
    });
    let on_change = Callback::new(move |word: String| {
        draft.update(|draft| {
            draft.trend_meaning = match word.as_str() {
                "bad" => TrendMeaning::UpIsBad,
                "neutral" => TrendMeaning::Neutral,
                _ => TrendMeaning::UpIsGood,
            };
        });
    });
    view! {
        <Field label="A rise is" hint=Signal::derive(|| "Colours the trend.".to_owned())>
            <Select value on_change options test_id="widget-trend"/>
        </Field>
    }
}

#[component]
fn ColorField(draft: RwSignal<Definition>) -> impl IntoView {
    let group = unique_id("color");
    let swatches = (1..=PALETTE_COLORS)
        .map(|color| {
            view! {
                <label class="swatch" style=("--swatch", format!("var(--c{color})"))>
                    <input
                        type="radio"
                        name=group.clone()
                        aria-label=format!("Colour {color}")
                        prop:checked=move || draft.with(|draft| draft.color == color)
                        on:change=move |_| draft.update(|draft| draft.color = color)
                    />
                    <span aria-hidden="true"></span>
                </label>
            }
        })
        .collect_view();
    view! {
        <fieldset class="swatches">
            <legend class="editor-label">"Colour"</legend>
            <div class="swatches-row">{swatches}</div>
        </fieldset>
    }
}
