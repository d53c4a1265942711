//! How fast records go through a transform of six steps on one core, against the same logic written
//! by hand in Rust.

use std::hint::black_box;
use std::time::Instant;

use dash_shared::fields::Fields;
use dash_shared::transform::{Definition, Outcome, Preview, State, Transform};
use serde_json::{Value, json};

use crate::report::{Goal, Measurement};

/// How many records go through.
const RECORDS: usize = 1_000_000;
/// How many different ones there are.
const DIFFERENT: usize = 1_000;
/// How often each side is measured; the best of each counts.
const ROUNDS: usize = 3;

/// Measures.
pub fn measure() -> Vec<Measurement> {
    let definition: Definition = serde_json::from_value(steps()).expect("the steps are right");
    let transform = Transform::compile(&definition).expect("the steps are right");
    let records: Vec<Value> = (0..DIFFERENT).map(record).collect();
    for record in &records {
        assert_eq!(
            by_transform(&transform, record),
            by_hand(record),
            "{record}"
        );
    }
    let mut best = (0.0_f64, 0.0_f64);
    for _ in 0..ROUNDS {
        best.0 = best.0.max(per_second(&records, |record| {
            by_transform(&transform, record)
        }));
        best.1 = best.1.max(per_second(&records, by_hand));
    }
    let measurement = |name: &str, baseline, goal| Measurement {
        name: name.to_owned(),
        value: best.0,
        unit: "records/s",
        baseline,
        goal,
    };
    vec![
        measurement(
            "six steps, against the same by hand",
            best.1,
            Goal::RatioAtLeast(0.334),
        ),
        measurement(
            "six steps, against 300,000 records/s",
            300_000.0,
            Goal::RatioAtLeast(1.0),
        ),
    ]
}

/// Rename, cast, calculate twice, filter, drop.
fn steps() -> Value {
    json!([
        {"kind": "rename", "fields": [{"from": "amount", "to": "total"}, {"from": "cc", "to": "country"}]},
        {"kind": "cast", "fields": [{"field": "total", "type": "number"}, {"field": "paid", "type": "boolean"}]},
        {"kind": "calculate", "fields": [{"field": "tax", "formula": "round(total * 0.19, 2)"}]},
        {"kind": "calculate", "fields": [{"field": "label", "formula": "upper(country) + '-' + id"}]},
        {"kind": "filter", "formula": "total > 20 and status != 'cancelled'"},
        {"kind": "drop", "fields": ["note", "customer.email"]},
    ])
}

/// An order as a web shop sends it.
fn record(n: usize) -> Value {
    let country = ["de", "fr", "us"][n % 3];
    json!({
        "id": n,
        "amount": format!("{}.{:02}", n % 500, n % 100),
        "cc": country,
        "paid": if n.is_multiple_of(2) { "yes" } else { "no" },
        "status": if n.is_multiple_of(7) { "cancelled" } else { "open" },
        "created_at": "2026-11-22T02:36:00Z",
        "customer": {"id": n % 97, "email": "ann@example.com"},
        "note": "please ring twice",
        "items": [{"sku": "a-1", "price": 9.99, "count": 2}],
    })
}

fn per_second<T>(records: &[Value], one: impl Fn(&Value) -> T) -> f64 {
    let start = Instant::now();
    for record in records.iter().cycle().take(RECORDS) {
        black_box(one(black_box(record)));
    }
    #[expect(clippy::cast_precision_loss, reason = "less than 2^53")]
    let records = RECORDS as f64;
    records / start.elapsed().as_secs_f64()
}

fn by_transform(transform: &Transform, record: &Value) -> Option<Fields> {
    let mut outcomes = Vec::with_capacity(1);
    let environment = Preview { now_ms: 0 };
    transform.run(record, &mut State::default(), &environment, &mut outcomes);
    match outcomes.pop() {
        Some(Outcome::Stored(fields)) => Some(fields),
        _ => None,
    }
}

/// What the steps say, as a programmer would write it for this one transform: each field is
/// looked at once, and a record that is left out is never built. A price is reckoned with in cents.
fn by_hand(record: &Value) -> Option<Fields> {
    let record = record.as_object()?;
    let total: f64 = record.get("amount")?.as_str()?.parse().ok()?;
    let status = record.get("status")?.as_str()?;
    if total <= 20.0 || status == "cancelled" {
        return None;
    }
    let mut fields = Fields::with_capacity(record.len() + 1);
    let mut label = String::new();
    for (key, value) in record {
        match key.as_str() {
            "amount" => {
                fields.insert("total".to_owned(), total.into());
            }
            "cc" => {
                label = value.as_str()?.to_uppercase();
                fields.insert("country".to_owned(), value.clone());
            }
            "paid" => {
                let paid = match value.as_str()? {
                    "yes" => true,
                    "no" => false,
                    _ => return None,
                };
                fields.insert(key.clone(), paid.into());
            }
            "customer" => {
                let mut customer = value.as_object()?.clone();
                customer.shift_remove("email");
                fields.insert(key.clone(), Value::Object(customer));
            }
            "note" => {}
            _ => {
                fields.insert(key.clone(), value.clone());
            }
        }
    }
    // Halves are rounded up: in cents times 19, which is exact.
    let tax = ((total * 100.0).round() * 19.0 / 100.0).round() / 100.0;
    fields.insert("tax".to_owned(), plain(tax));
    let id = record.get("id")?;
    fields.insert("label".to_owned(), format!("{label}-{id}").into());
    Some(fields)
}

/// A whole number as such, as the transform writes it.
fn plain(number: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "prices are small")]
    if number.fract() == 0.0 {
        (number as i64).into()
    } else {
        number.into()
    }
}
