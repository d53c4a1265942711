//! What ECharts is told about a line chart. Built with charming; the few options that it does not
//! know are added to its JSON. Colours and fonts come from the theme, not from here.

use charming::Chart;
use charming::component::{Axis, Grid, Legend};
use charming::datatype::{CompositeValue, DataPointItem};
use charming::element::{
    AnimationTime, AreaStyle, AxisPointer, AxisPointerType, AxisType, Emphasis, ItemStyle,
    LabelAlign, LineStyle, Symbol, SymbolSize, Tooltip, Trigger,
};
use charming::series::Line;
use serde_json::{Value, json};

use super::LinePoints;

/// How long a change of the data moves, in milliseconds.
const MOVE_MS: f64 = 300.0;
/// From this width on, in pixels, there is room for names beside the lines.
const DIRECT_LABELS_PX: f64 = 460.0;
/// More lines than this are named in a legend: their ends would crowd each other.
const MAX_DIRECT_LABELS: usize = 5;

/// What a chart looks like, apart from its data.
#[derive(Clone, Debug, PartialEq)]
pub struct LineLook {
    /// The colour of the first line in the palette, from 1; the others follow.
    pub color: i32,
    /// Written with every value.
    pub unit: String,
    /// The digits after the decimal point; as many as make sense if none.
    pub decimals: Option<u8>,
    /// Whether the value axis begins at zero, as amounts do and measurements need not.
    pub from_zero: bool,
    /// Whether changes move.
    pub animated: bool,
}

/// The options of a chart that is `width_px` wide, as JSON.
pub fn options(points: &LinePoints, look: &LineLook, width_px: f64) -> String {
    let many = points.series.len() > 1;
    let direct = many && width_px >= DIRECT_LABELS_PX && points.series.len() <= MAX_DIRECT_LABELS;
    let right_px = if direct { label_room_px(points) } else { 10.0 };
    let mut chart = Chart::new()
        .animation(look.animated)
        .animation_duration(AnimationTime::Number(0.0))
        .animation_duration_update(AnimationTime::Number(MOVE_MS))
        .grid(
            Grid::new()
                .left(2)
                .top(if many && !direct { 34 } else { 12 })
                .right(right_px)
                .bottom(2),
        )
        .tooltip(
            Tooltip::new().trigger(Trigger::Axis).axis_pointer(
                AxisPointer::new()
                    .type_(AxisPointerType::Line)
                    .animation(false),
            ),
        )
        .x_axis(time_axis(points))
        .y_axis(
            Axis::new()
                .type_(AxisType::Value)
                .split_number(4)
                .scale(!look.from_zero),
        );
    if many && !direct {
        chart = chart.legend(
            Legend::new()
                .left(0)
                .top(0)
                .item_width(10)
                .item_height(10)
                .item_gap(14)
                .align(LabelAlign::Left),
        );
    }
    for (index, (name, values)) in points.series.iter().enumerate() {
        let filled = index == 0;
        chart = chart.series(line(name, values, points, look, filled));
    }
    let mut options = serde_json::to_value(&chart).unwrap_or_default();
    complete(&mut options, points, direct);
    options.to_string()
}

fn time_axis(points: &LinePoints) -> Axis {
    let axis = Axis::new().type_(AxisType::Time);
    match (points.times_ms.first(), points.times_ms.last()) {
        (Some(first), Some(last)) if first < last => axis.min(*first).max(*last),
        _ => axis,
    }
}

fn line(
    name: &str,
    values: &[Option<f64>],
    points: &LinePoints,
    look: &LineLook,
    filled: bool,
) -> Line {
    // A point is known by its time: when the window moves on, points slide instead of changing
    // their height.
    let data: Vec<DataPointItem> = points
        .times_ms
        .iter()
        .zip(values)
        .map(|(time_ms, value)| {
            DataPointItem::new(CompositeValue::Array(vec![
                CompositeValue::from(*time_ms),
                CompositeValue::from(*value),
            ]))
            .name(time_ms.to_string())
        })
        .collect();
    let known = values.iter().flatten().count();
    // Rare measurements are joined and marked: alone, each would be a line without length.
    let rare = known * 2 < values.len();
    let line = Line::new()
        .name(name)
        .symbol(Symbol::Circle)
        .symbol_size(SymbolSize::Number(if rare { 4.0 } else { 7.0 }))
        .show_symbol(rare && !look.from_zero || known == 1)
        .connect_nulls(rare)
        .line_style(LineStyle::new().width(1.8))
        .item_style(ItemStyle::new().border_width(0))
        .emphasis(Emphasis::new().disabled(false))
        .data(data);
    if filled {
        line.area_style(AreaStyle::new().opacity(0.08))
    } else {
        line
    }
}

/// Adds what charming has no words for.
fn complete(options: &mut Value, points: &LinePoints, direct: bool) {
    options["grid"][0]["outerBoundsMode"] = json!("same");
    options["grid"][0]["outerBoundsContain"] = json!("axisLabel");
    options["tooltip"]["confine"] = json!(true);
    options["xAxis"]["axisLabel"]["hideOverlap"] = json!(true);
    // Hours as they are, and where a day begins its date.
    options["xAxis"]["axisLabel"]["formatter"] = json!({
        "year": "{yyyy}", "month": "{MMM}", "day": "{d} {MMM}", "hour": "{HH}:{mm}",
        "minute": "{HH}:{mm}", "second": "{HH}:{mm}:{ss}", "millisecond": "{HH}:{mm}:{ss}",
    });
    // The window seldom ends at a round time.
    options["xAxis"]["axisLabel"]["showMaxLabel"] = json!(false);
    for index in 0..points.series.len() {
        let series = &mut options["series"][index];
        series["id"] = json!(points.series[index].0);
        if direct {
            series["endLabel"] = json!({
                "show": true, "formatter": "{a}", "distance": 9, "color": "inherit",
                "fontSize": 12, "fontWeight": 600, "lineHeight": 17, "width": 120, "overflow": "truncate",
            });
            series["labelLayout"] = json!({ "moveOverlap": "shiftY" });
        }
    }
}

/// How much room the longest name needs beside the lines.
fn label_room_px(points: &LinePoints) -> f64 {
    let longest = points
        .series
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0);
    #[expect(clippy::cast_precision_loss, reason = "a name is short")]
    let wanted_px = longest as f64 * 7.2 + 18.0;
    wanted_px.clamp(40.0, 138.0)
}
