//! The theme of charts, made from the page's own design tokens, so that a chart looks like what is
//! around it in light and in dark.

use dash_shared::widgets::PALETTE_COLORS;
use leptos::prelude::*;
use serde_json::{Value, json};
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

/// The ECharts theme for the tokens that are in force now, as JSON. The palette begins with its
/// colour `first_color`, counted from 1.
pub fn json(first_color: i32) -> String {
    theme(first_color).unwrap_or_else(|| json!({})).to_string()
}

fn theme(first_color: i32) -> Option<Value> {
    let tokens = Tokens::read()?;
    let palette: Vec<String> = (0..PALETTE_COLORS)
        .map(|index| (first_color - 1 + index).rem_euclid(PALETTE_COLORS) + 1)
        .map(|number| tokens.color(&format!("--c{number}")))
        .collect();
    let (ink, ink_2, ink_3) = (
        tokens.color("--ink"),
        tokens.color("--ink-2"),
        tokens.color("--ink-3"),
    );
    let (line, line_strong) = (tokens.color("--line"), tokens.color("--line-strong"));
    let surface = tokens.color("--surface");
    let font = tokens.text("--font");
    let axis_label = json!({ "color": ink_3, "fontSize": 11, "fontFamily": font });
    let bare_axis = json!({
        "axisLine": { "show": false },
        "axisTick": { "show": false },
        "axisLabel": axis_label,
        "splitLine": { "show": false },
    });
    Some(json!({
        "color": palette,
        "backgroundColor": "transparent",
        "textStyle": { "fontFamily": font, "color": ink_2 },
        "timeAxis": bare_axis,
        "categoryAxis": bare_axis,
        "valueAxis": {
            "axisLine": { "show": false },
            "axisTick": { "show": false },
            "axisLabel": axis_label,
            "splitLine": { "show": true, "lineStyle": { "color": line, "width": 1 } },
        },
        "legend": {
            "icon": "roundRect",
            "textStyle": { "color": ink_2, "fontSize": 12, "fontFamily": font },
            "inactiveColor": line_strong,
        },
        "axisPointer": { "lineStyle": { "color": line_strong, "width": 1, "type": "solid" } },
        "tooltip": {
            "backgroundColor": surface,
            "borderColor": line,
            "borderWidth": 1,
            "padding": [8, 12],
            "textStyle": { "color": ink, "fontSize": 12, "fontFamily": font },
            "extraCssText": "border-radius:10px;box-shadow:var(--shadow-2);\
                font-variant-numeric:tabular-nums",
        },
        "line": { "symbol": "circle", "itemStyle": { "borderWidth": 0 } },
    }))
}

/// Reads design tokens; colours come out in a form that canvas libraries can calculate with.
struct Tokens {
    style: web_sys::CssStyleDeclaration,
    canvas: CanvasRenderingContext2d,
}

impl Tokens {
    fn read() -> Option<Self> {
        let root = document().document_element()?;
        let canvas: HtmlCanvasElement =
            document().create_element("canvas").ok()?.dyn_into().ok()?;
        canvas.set_width(1);
        canvas.set_height(1);
        Some(Self {
            style: window().get_computed_style(&root).ok()??,
            canvas: canvas.get_context("2d").ok()??.dyn_into().ok()?,
        })
    }

    fn text(&self, token: &str) -> String {
        self.style
            .get_property_value(token)
            .unwrap_or_default()
            .trim()
            .to_owned()
    }

    /// The tokens are written in OKLCH, which ECharts cannot read: the browser paints a pixel
    /// with the colour, and the pixel says what it is in RGB.
    fn color(&self, token: &str) -> String {
        self.canvas.clear_rect(0.0, 0.0, 1.0, 1.0);
        self.canvas.set_fill_style_str(&self.text(token));
        self.canvas.fill_rect(0.0, 0.0, 1.0, 1.0);
        let pixel = self.canvas.get_image_data(0.0, 0.0, 1.0, 1.0);
        match pixel.map(|pixel| pixel.data().0).as_deref() {
            Ok([red, green, blue, 255]) => format!("rgb({red},{green},{blue})"),
            Ok([red, green, blue, alpha]) => {
                format!(
                    "rgba({red},{green},{blue},{:.3})",
                    f64::from(*alpha) / 255.0
                )
            }
            _ => self.text(token),
        }
    }
}
