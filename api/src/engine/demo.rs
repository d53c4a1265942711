//! The demo source: the orders of a web shop that does not exist. What happens in a second follows
//! from the seed and that second alone, so any span can be made again, now or later, and is the
//! same; by day more is sold than by night.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use dash_shared::timestamps;

/// How often the demo runs.
pub const PERIOD_MS: i64 = 2_000;
/// How much history a new demo has: a day, and the day before it to compare with.
pub const HISTORY_MS: i64 = 48 * 3_600_000;

/// How likely an order is in one second, on average over the day.
const ORDERS_PER_SECOND: f64 = 0.2;

const PRODUCTS: [(&str, u32); 8] = [
    ("Merino beanie", 2_490),
    ("Trail bottle", 1_950),
    ("Camp mug", 1_490),
    ("Rain shell", 14_900),
    ("Wool socks", 1_290),
    ("Headlamp", 3_990),
    ("Day pack", 7_900),
    ("Sleeping bag", 18_900),
];

const PLACES: [(&str, &str); 10] = [
    ("Berlin", "DE"),
    ("Lyon", "FR"),
    ("Osaka", "JP"),
    ("Lagos", "NG"),
    ("Bergen", "NO"),
    ("Austin", "US"),
    ("Toronto", "CA"),
    ("Porto", "PT"),
    ("Leeds", "GB"),
    ("Graz", "AT"),
];

const CUSTOMERS: [&str; 12] = [
    "Lena Hartmann",
    "Marc Dubois",
    "Aiko Tanaka",
    "Sam Okafor",
    "Ida Nilsen",
    "Ruth Miller",
    "Noah Tremblay",
    "Inês Costa",
    "Oliver Reed",
    "Anna Huber",
    "Mia Schulz",
    "Jon Berg",
];

/// The orders of the seconds from `from_ms` up to `to_ms`, both in milliseconds since 1970.
pub fn orders(seed: u32, from_ms: i64, to_ms: i64) -> Vec<Value> {
    let seconds = from_ms.div_euclid(1_000)..to_ms.div_euclid(1_000);
    seconds.filter_map(|second| order(seed, second)).collect()
}

/// How busy the shop is: 0.35 to 1.65 over the day (UTC), the busiest in the late afternoon.
fn activity(second: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a second of the day")]
    let day = second.rem_euclid(86_400) as f64 / 86_400.0;
    1.0 + 0.65 * ((day - 0.71) * std::f64::consts::TAU).cos()
}

fn pick<T: Copy>(rng: &mut StdRng, from: &[T], default: T) -> T {
    from.get(rng.random_range(0..from.len()))
        .copied()
        .unwrap_or(default)
}

fn order(seed: u32, second: i64) -> Option<Value> {
    let mut rng = StdRng::seed_from_u64(second.unsigned_abs() ^ u64::from(seed) << 33);
    if !rng.random_bool((ORDERS_PER_SECOND * activity(second)).clamp(0.0, 1.0)) {
        return None;
    }
    let (product, cents) = pick(&mut rng, &PRODUCTS, PRODUCTS[0]);
    let quantity = [1, 1, 1, 1, 2, 2, 3][rng.random_range(0..7)];
    let (city, country) = pick(&mut rng, &PLACES, PLACES[0]);
    let channel = match rng.random_range(0..100) {
        0..58 => "Shop",
        58..85 => "Amazon",
        _ => "In store",
    };
    let status = match rng.random_range(0..1_000) {
        0..905 => "paid",
        905..981 => "pending",
        _ => "refunded",
    };
    let slow = rng.random_range(0.0..1.0_f64).powi(4);
    #[expect(clippy::cast_possible_truncation, reason = "between 280 and 2480")]
    let checkout_ms = (280.0 + 2_200.0 * slow * activity(second).min(1.0)) as i64;
    let total = f64::from(cents * quantity) / 100.0;
    Some(json!({
        "order": format!("ord_{:05X}", rng.random_range(0x10000..0xFFFFF)),
        "time": timestamps::format_ms(second * 1_000 + rng.random_range(0..1_000)),
        "customer": pick(&mut rng, &CUSTOMERS, CUSTOMERS[0]),
        "city": city,
        "country": country,
        "channel": channel,
        "product": product,
        "quantity": quantity,
        "total_eur": total,
        "status": status,
        "checkout_ms": checkout_ms,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM_MS: i64 = 1_763_700_000_000;

    #[test]
    fn a_span_is_the_same_whenever_and_however_it_is_cut() {
        let whole = orders(7, FROM_MS, FROM_MS + 600_000);
        let halves = [
            orders(7, FROM_MS, FROM_MS + 300_000),
            orders(7, FROM_MS + 300_000, FROM_MS + 600_000),
        ]
        .concat();
        assert_eq!(whole, halves);
        assert_ne!(whole, orders(8, FROM_MS, FROM_MS + 600_000));
    }

    #[test]
    fn a_day_sells_believably() {
        let day = orders(1, FROM_MS, FROM_MS + 86_400_000);
        assert!((14_000..21_000).contains(&day.len()), "{}", day.len());
        let refunded = day
            .iter()
            .filter(|order| order["status"] == "refunded")
            .count();
        assert!(refunded * 20 < day.len());
        assert!(
            day.iter()
                .all(|order| order["total_eur"].as_f64() > Some(10.0))
        );
    }
}
