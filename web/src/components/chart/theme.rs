//! The theme of charts, made from the page's own design tokens, so that a chart looks like what is
//! around it in light and in dark.

use dash_shared::widgets::PALETTE_COLORS;
use leptos::prelude::*;
use serde_json::{Value, json};
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

/// The colours of everything but the lines.
const INKS: [&str; 6] = [
    "--ink",
    "--ink-2",
    "--ink-3",
    "--line",
    "--line-strong",
    "--surface",
];

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

/// The design tokens that charts use; colours in a form that canvas libraries can calculate with.
struct Tokens {
    style: web_sys::CssStyleDeclaration,
    colors: Vec<(String, String)>,
}

impl Tokens {
    fn read() -> Option<Self> {
        let root = document().document_element()?;
        let style = window().get_computed_style(&root).ok()??;
        let names = INKS
            .into_iter()
            .map(str::to_owned)
            .chain((1..=PALETTE_COLORS).map(|number| format!("--c{number}")));
        let tokens: Vec<(String, String)> = names
            .map(|name| {
                let text = text_of(&style, &name);
                (name, text)
            })
            .collect();
        let colors = in_rgb(&tokens).unwrap_or(tokens);
        Some(Self { style, colors })
    }

    fn text(&self, token: &str) -> String {
        text_of(&self.style, token)
    }

    fn color(&self, token: &str) -> String {
        let known = self.colors.iter().find(|(name, _)| name == token);
        known.map_or_else(|| self.text(token), |(_, color)| color.clone())
    }
}

fn text_of(style: &web_sys::CssStyleDeclaration, token: &str) -> String {
    let text = style.get_property_value(token).unwrap_or_default();
    text.trim().to_owned()
}

/// The tokens are written in OKLCH, which ECharts cannot read: the browser paints a pixel with
/// each colour, and the pixels say what it is in RGB.
fn in_rgb(tokens: &[(String, String)]) -> Option<Vec<(String, String)>> {
    let canvas: HtmlCanvasElement = document().create_element("canvas").ok()?.dyn_into().ok()?;
    let width = u32::try_from(tokens.len()).ok()?;
    canvas.set_width(width);
    canvas.set_height(1);
    // Said beforehand, the browser keeps the pixels where they can be read.
    let options = js_sys::Object::new();
    js_sys::Reflect::set(&options, &"willReadFrequently".into(), &true.into()).ok()?;
    let context = canvas
        .get_context_with_context_options("2d", &options)
        .ok()??;
    let context: CanvasRenderingContext2d = context.dyn_into().ok()?;
    let mut x = 0.0;
    for (_, color) in tokens {
        context.set_fill_style_str(color);
        context.fill_rect(x, 0.0, 1.0, 1.0);
        x += 1.0;
    }
    let pixels = context.get_image_data(0.0, 0.0, x, 1.0).ok()?.data();
    let colors = tokens
        .iter()
        .zip(pixels.chunks_exact(4))
        .map(|((name, _), pixel)| {
            let color = match pixel {
                [red, green, blue, 255] => format!("rgb({red},{green},{blue})"),
                [red, green, blue, alpha] => {
                    format!(
                        "rgba({red},{green},{blue},{:.3})",
                        f64::from(*alpha) / 255.0
                    )
                }
                _ => String::new(),
            };
            (name.clone(), color)
        });
    Some(colors.collect())
}
