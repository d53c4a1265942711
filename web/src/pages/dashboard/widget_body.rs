//! The inside of a widget: its figure, lines or records, or a sentence on why there are none.

use dash_shared::{
    figures,
    ranges::TimeRange,
    widgets::{Aggregate, WidgetKind},
};
use leptos::prelude::*;

use super::{
    content::{Content, Shape},
    tiles::Definition,
};
use crate::components::{
    Icon, IconView, Skeleton,
    line_chart::{
        LineChart, LineLook,
        pick::{Pickable, PickedPoint},
    },
    record_table::{OpenedRow, RecordTable},
    rolling_number::FigureStyle,
    stat::Stat,
};

/// What an empty widget offers instead.
const WIDER_RANGE: TimeRange = TimeRange::Last {
    seconds: 7 * 86_400,
};

/// Shows the data of a widget. It is made anew when the kind of thing to show changes, never for
/// new data.
#[component]
pub fn WidgetBody(
    /// What the widget is.
    definition: Memo<Definition>,
    /// What it shows.
    content: ArcRwSignal<Content>,
    /// The range that it looks at.
    range: Signal<TimeRange>,
    /// Called with a record that a person wants to see whole.
    #[prop(into)]
    on_open_record: Callback<OpenedRow>,
    /// Called when a person wants to look at another range.
    #[prop(optional, into)]
    on_range: Option<Callback<TimeRange>>,
    /// Called with a point of a line whose records a person wants to see.
    #[prop(optional, into)]
    on_pick: Option<Callback<PickedPoint>>,
) -> impl IntoView {
    let content = RwSignal::from(content);
    let shape = Memo::new(move |_| {
        let counts = definition.with(Definition::counts);
        content.with(|content| content.shape(counts))
    });
    let title = Signal::derive(move || definition.with(|definition| definition.title.clone()));
    move || match shape.get() {
        Shape::Waiting => view! { <Waiting kind=definition.with(|d| d.kind)/> }.into_any(),
        Shape::Stat => {
            let figure = Memo::new(move |_| content.with(Content::figure));
            let style = Memo::new(move |_| {
                definition.with(|definition| FigureStyle {
                    unit: definition.unit.clone(),
                    decimals: definition.decimals,
                })
            });
            let meaning = Memo::new(move |_| definition.with(|d| d.trend_meaning));
            let color = Memo::new(move |_| definition.with(|d| d.color));
            let against = Memo::new(move |_| time_before(range.get()));
            view! { <Stat figure style meaning color against/> }.into_any()
        }
        Shape::Line => {
            let points = Memo::new(move |_| content.with(Content::points));
            let look = Memo::new(move |_| {
                definition.with(|definition| LineLook {
                    color: definition.color,
                    unit: definition.unit.clone(),
                    decimals: definition.decimals,
                    from_zero: matches!(
                        definition.aggregate,
                        Aggregate::Count | Aggregate::Sum | Aggregate::Distinct
                    ),
                    animated: true,
                })
            });
            view! { <Pickable on_pick><LineChart points look title/></Pickable> }.into_any()
        }
        Shape::Table => {
            let records = Memo::new(move |_| content.with(Content::records));
            view! { <RecordTable records title on_open=on_open_record/> }.into_any()
        }
        Shape::Empty => {
            let pipeline_id = definition.with(|definition| definition.pipeline_id.clone());
            view! { <NoRecords pipeline_id range on_range/> }.into_any()
        }
        Shape::Failed => {
            let message = move || {
                content.with(|content| match content {
                    Content::Failed(message) => message.clone(),
                    _ => String::new(),
                })
            };
            view! {
                <div class="tile-message" role="alert" data-testid="widget-failure">
                    <IconView icon=Icon::Alert/>
                    <p>{message}</p>
                </div>
            }
            .into_any()
        }
    }
}

/// What stands at the end of a widget's head: what a point stands for, or how much comes in.
#[component]
pub fn WidgetNote(
    /// What the widget is.
    definition: Memo<Definition>,
    /// What it shows.
    content: ArcRwSignal<Content>,
) -> impl IntoView {
    let note = Memo::new(move |_| {
        let unit = definition.with(|definition| definition.unit.clone());
        content.with(|content| match content {
            Content::Line(points) => {
                let per = figures::per_bucket(i64::from(points.bucket_seconds));
                let text = if unit.is_empty() {
                    per
                } else {
                    format!("{per}, {unit}")
                };
                Some((false, text))
            }
            Content::Table(records) if records.per_minute > 0 => {
                Some((true, format!("{} / min", records.per_minute)))
            }
            _ => None,
        })
    });
    move || {
        note.get().map(|(is_flowing, text)| {
            view! {
                <span class="tile-note num">
                    {is_flowing.then(|| view! { <span class="tile-flow" aria-hidden="true"></span> })}
                    {text}
                </span>
            }
        })
    }
}

/// The grey shape of a widget whose data is on its way.
#[component]
fn Waiting(kind: WidgetKind) -> impl IntoView {
    let shape = match kind {
        WidgetKind::Stat => view! {
            <Skeleton width="55%" height="30px"/>
            <div class="tile-waiting-foot">
                <Skeleton width="72px" height="16px"/>
                <Skeleton width="96px" height="24px"/>
            </div>
        }
        .into_any(),
        WidgetKind::Line => view! { <Skeleton height="100%"/> }.into_any(),
        WidgetKind::Table => (0..5)
            .map(|_| view! { <Skeleton height="18px"/> })
            .collect_view()
            .into_any(),
    };
    view! { <div class="tile-waiting" aria-busy="true">{shape}</div> }
}

/// Says that there is nothing in the range, and what can be done.
#[component]
fn NoRecords(
    pipeline_id: String,
    range: Signal<TimeRange>,
    on_range: Option<Callback<TimeRange>>,
) -> impl IntoView {
    let wider = move || {
        let on_range = on_range.filter(|_| range.get().seconds() < WIDER_RANGE.seconds())?;
        Some(view! {
            <button type="button" class="link" on:click=move |_| on_range.run(WIDER_RANGE)>
                "Show last 7 days"
            </button>
        })
    };
    view! {
        <div class="tile-message" data-testid="widget-empty">
            <p>"No records in this range"</p>
            <div class="row tile-message-acts">
                {wider}
                <a class="link" href=format!("/pipelines/{pipeline_id}")>"Open the pipeline"</a>
            </div>
        </div>
    }
}

/// What a figure is measured against.
fn time_before(range: TimeRange) -> String {
    match range {
        TimeRange::Last { seconds } => format!("prev. {}", figures::duration(seconds)),
        TimeRange::Between { .. } => "time before".to_owned(),
    }
}
