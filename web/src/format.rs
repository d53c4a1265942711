//! Numbers, sizes and times as people read them, in the browser's own language and time zone.
//! The formatters are the browser's (`Intl`) and are made once each.

use std::cell::RefCell;

use js_sys::{Array, Date, Function, Intl, JsString, Object, Reflect};
use leptos::prelude::*;
use wasm_bindgen::JsValue;

/// Milliseconds since 1970, now.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a date in ms is far below 2^53"
)]
pub fn now_ms() -> i64 {
    Date::now() as i64
}

/// The clock of the app: a signal that moves once a second.
#[derive(Clone, Copy, Debug)]
pub struct Clock(RwSignal<i64>);

impl Clock {
    /// Starts the clock.
    pub fn provide() {
        let now = RwSignal::new(now_ms());
        let tick = move || now.set(now_ms());
        drop(set_interval_with_handle(
            tick,
            std::time::Duration::from_secs(1),
        ));
        provide_context(Self(now));
    }

    /// Now, in milliseconds since 1970; tracked.
    pub fn now_ms(self) -> i64 {
        self.0.get()
    }
}

/// The clock of the app.
pub fn use_clock() -> Clock {
    expect_context()
}

/// A number with thousands separated: exactly `decimals`, or as many as it needs up to two.
pub fn number(value: f64, decimals: Option<u8>) -> String {
    let (min, max) = decimals.map_or((0, 2), |decimals| (decimals, decimals));
    formatted(Formatter::Number { min, max }, value)
}

/// A whole number with thousands separated.
#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
pub fn count(value: i64) -> String {
    number(value as f64, Some(0))
}

/// A count that the API sends as a float, because it may be beyond 32 bits.
#[expect(
    clippy::cast_possible_truncation,
    reason = "counts are whole and far below 2^53"
)]
pub fn whole(value: f64) -> i64 {
    value as i64
}

/// A number in short: 12.4K, 1.2M.
pub fn compact(value: f64) -> String {
    formatted(Formatter::Compact, value)
}

/// A size in bytes, in the unit that fits.
pub fn bytes(size: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];
    let mut size = size;
    let mut unit = 0;
    while size >= 1000.0 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    let decimals = u8::from(unit > 0 && size < 100.0);
    format!("{} {}", number(size, Some(decimals)), UNITS[unit])
}

/// A date with the time to the second: `22 Nov 2026, 14:03:07`.
pub fn date_time(ms: i64) -> String {
    formatted(Formatter::DateTime, date_value(ms))
}

/// A date alone: `22 Nov 2026`.
pub fn date(ms: i64) -> String {
    formatted(Formatter::Date, date_value(ms))
}

/// A duration: `840 ms`, `2.4 s`, `3 min`.
#[expect(clippy::cast_precision_loss, reason = "durations are small")]
pub fn duration(ms: i64) -> String {
    match ms {
        ..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{} s", number(ms as f64 / 1e3, Some(1))),
        60_000..3_600_000 => format!("{} min", ms / 60_000),
        _ => format!("{} h", number(ms as f64 / 3.6e6, Some(1))),
    }
}

/// How long ago (or ahead) a time is: `now`, `9 s ago`, `in 4 min`, `2 d ago`.
pub fn relative(ms: i64, now_ms: i64) -> String {
    let age_s = (now_ms - ms) / 1_000;
    let text = match age_s.abs() {
        0..2 => return "now".to_owned(),
        s @ 2..60 => format!("{s} s"),
        s @ 60..3_600 => format!("{} min", s / 60),
        s @ 3_600..86_400 => format!("{} h", s / 3_600),
        s @ 86_400..2_592_000 => format!("{} d", s / 86_400),
        _ => return date(ms),
    };
    if age_s < 0 {
        format!("in {text}")
    } else {
        format!("{text} ago")
    }
}

/// A text in small letters: how the browser does it, whose tables need not be loaded.
pub fn lowercase(text: &str) -> String {
    JsString::from(text).to_lower_case().into()
}

/// A text in capital letters, likewise.
pub fn uppercase(text: &str) -> String {
    JsString::from(text).to_upper_case().into()
}

/// A noun with its number: `1 pipeline`, `2 pipelines`.
pub fn plural(number: i64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Formatter {
    Number { min: u8, max: u8 },
    Compact,
    DateTime,
    Date,
}

thread_local! {
    static FORMATTERS: RefCell<Vec<(Formatter, Function)>> = const { RefCell::new(Vec::new()) };
}

#[expect(clippy::cast_precision_loss, reason = "a date in ms is far below 2^53")]
fn date_value(ms: i64) -> f64 {
    ms as f64
}

fn formatted(kind: Formatter, value: f64) -> String {
    let format = FORMATTERS.with_borrow_mut(|all| {
        if let Some((_, format)) = all.iter().find(|(known, _)| *known == kind) {
            return format.clone();
        }
        let format = make(kind);
        all.push((kind, format.clone()));
        format
    });
    let text = format.call1(&JsValue::UNDEFINED, &JsValue::from_f64(value));
    text.ok()
        .and_then(|text| text.as_string())
        .unwrap_or_else(|| value.to_string())
}

fn make(kind: Formatter) -> Function {
    let number = |pairs: &[(&str, JsValue)]| {
        Intl::NumberFormat::new(&Array::new(), &options(pairs)).format()
    };
    let date = |pairs: &[(&str, JsValue)]| {
        Intl::DateTimeFormat::new(&Array::new(), &options(pairs)).format()
    };
    match kind {
        Formatter::Number { min, max } => number(&[
            ("minimumFractionDigits", min.into()),
            ("maximumFractionDigits", max.into()),
        ]),
        Formatter::Compact => number(&[
            ("notation", "compact".into()),
            ("maximumFractionDigits", 1.into()),
        ]),
        Formatter::DateTime => date(&[
            ("dateStyle", "medium".into()),
            ("timeStyle", "medium".into()),
        ]),
        Formatter::Date => date(&[("dateStyle", "medium".into())]),
    }
}

fn options(pairs: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (key, value) in pairs {
        drop(Reflect::set(&object, &JsValue::from_str(key), value));
    }
    object
}

/// The viewer's time zone by its name; UTC where the browser knows none.
pub fn time_zone() -> String {
    let format = Intl::DateTimeFormat::new(&Array::new(), &Object::new());
    Reflect::get(&format.resolved_options(), &"timeZone".into())
        .ok()
        .and_then(|zone| zone.as_string())
        .filter(|zone| !zone.is_empty() && zone != "Etc/Unknown")
        .unwrap_or_else(|| "UTC".to_owned())
}
