//! Transforms and records that nobody would write: every kind of step that both engines can run,
//! with paths that lead nowhere, formulas that fail, and values at the edge of what there is.

use serde_json::{Map, Value, json};

/// Invents from a seed: the same ones each time.
pub struct Invented(u64);

const PATHS: [&str; 16] = [
    "id",
    "total",
    "name",
    "at",
    "flag",
    "items",
    "items[0].price",
    "items[1]",
    "customer",
    "customer.country",
    "customer.email",
    "tags",
    "deep",
    "missing",
    "größe",
    "[\"a.b\"]",
];

const NAMES: [&str; 8] = [
    "id",
    "total",
    "x",
    "Größe",
    "new name",
    "__proto__",
    "length",
    "名前",
];

const FORMULAS: [&str; 40] = [
    "total * 2",
    "total + 0.1",
    "0.1 + 0.2",
    "total / 3",
    "total % 7",
    "total ^ 2",
    "-total",
    "name + '!'",
    "'Order ' + id",
    "upper(name)",
    "lower(name)",
    "trim(name)",
    "len(name)",
    "left(name, 3)",
    "slice(name, -2, 9)",
    "replace(name, 'a', 'ä')",
    "split(name, ' ')",
    "number(name)",
    "round(total, 2)",
    "sqrt(total)",
    "floor(total / 0.7)",
    "sum(map(items, #.price * #.count))",
    "count(items, #.price > 1)",
    "sort(tags)",
    "unique(tags)",
    "first(items).price",
    "items[-1].price ?? 0",
    "keys(customer)",
    "merge(customer, {x: total})",
    "year(at)",
    "weekday(at)",
    "start_of(at, 'month')",
    "add_time(at, 36, 'hours')",
    "time_between(at, now(), 'days')",
    "unix(at)",
    "matches(name, '^[A-Z]')",
    "extract(name, '(\\d+)')",
    "type(total)",
    "if(flag, total, null)",
    "max(total, 3, id)",
];

const CONDITIONS: [&str; 10] = [
    "total > 20",
    "name != 'cancelled' and total >= 1",
    "flag",
    "not flag",
    "name in ['a', 'Ann']",
    "'a' in name",
    "any(items, #.price > 5)",
    "customer.country == 'DE'",
    "total / 0 > 1",
    "missing == null",
];

/// Sources that are none.
const BROKEN: [&str; 6] = [
    "total *",
    "1 +* 2",
    "nothing(3)",
    "'open",
    "total ? 1",
    "round()",
];

const SCRIPTS: [&str; 6] = [
    "record.total = (total ?? 0) * 2",
    "let sum = 0\nfor item in items { sum = sum + (item.price ?? 0) }\nrecord.sum = sum",
    "if total > 10 { record.tier = 'gold' } else { drop }",
    "delete record.customer\nrecord.n = len(tags)",
    "return [{a: id}, {a: total}]",
    "for tag in tags { record[tag] = true }",
];

impl Invented {
    /// A generator.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A transform and records for it, as `previewTransform` takes them.
    pub fn question(&mut self) -> Value {
        let steps: Vec<Value> = (0..=self.under(6)).map(|_| self.step()).collect();
        let records: Vec<Value> = (0..=self.under(6)).map(|_| self.record()).collect();
        json!({ "steps": steps, "records": records })
    }

    // SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn under(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count as u64).unwrap()
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.under(count) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.under(from.len())]
    }

    fn path(&mut self) -> &'static str {
        self.pick(&PATHS)
    }

    fn paths(&mut self) -> Vec<&'static str> {
        (0..=self.under(3)).map(|_| self.path()).collect()
    }

    fn formula(&mut self, from: &[&'static str]) -> &'static str {
        if self.one_in(60) {
            self.pick(&BROKEN)
        } else {
            self.pick(from)
        }
    }

    fn step(&mut self) -> Value {
        let mut step = self.action();
        if !self.one_in(4) {
            step["on_error"] = self.pick(&["fail", "drop", "keep", "keep"]).into();
        }
        step
    }

    fn action(&mut self) -> Value {
        let types = ["text", "number", "boolean", "time"];
        match self.under(17) {
            0 => {
                let fields: Vec<Value> = (0..=self.under(4))
                    .map(|place| {
                        let mut field =
                            json!({ "from": self.path(), "to": NAMES[(place * 3) % 8] });
                        if self.one_in(2) {
                            field["cast"] = self.pick(&types).into();
                        }
                        field
                    })
                    .collect();
                json!({ "kind": "map", "fields": fields, "keep_rest": !self.one_in(3) })
            }
            1 => {
                json!({ "kind": "rename", "fields": [{ "from": self.path(), "to": self.pick(&NAMES) }] })
            }
            2 if self.one_in(3) => json!({ "kind": "select", "fields": self.paths() }),
            2 | 3 => json!({ "kind": "drop", "fields": self.paths() }),
            4 => {
                json!({ "kind": "cast", "fields": [{ "field": self.path(), "type": self.pick(&types) }] })
            }
            5 => {
                json!({ "kind": "set", "fields": [{ "field": self.path(), "value": self.value(2) }] })
            }
            6 | 7 => {
                let fields: Vec<Value> = (0..=self.under(3))
                    .map(|_| json!({ "field": self.path(), "formula": self.formula(&FORMULAS) }))
                    .collect();
                json!({ "kind": "calculate", "fields": fields })
            }
            8 => {
                let matching = self.pick(&["keep", "drop", "drop"]);
                json!({ "kind": "filter", "formula": self.formula(&CONDITIONS), "matching": matching })
            }
            9 => {
                let comparisons = [
                    "equal",
                    "not_equal",
                    "less",
                    "at_most",
                    "greater",
                    "at_least",
                    "contains",
                    "exists",
                    "missing",
                ];
                let conditions: Vec<Value> = (0..=self.under(2))
                    .map(|_| {
                        let comparison = self.pick(&comparisons);
                        let value = self.pick(&["20", "DE", "1e3", "", "-0", "ä"]);
                        json!({ "field": self.path(), "comparison": comparison, "value": value })
                    })
                    .collect();
                let combine = self.pick(&["all", "any", "any"]);
                json!({ "kind": "filter", "combine": combine, "conditions": conditions, "matching": self.pick(&["keep", "drop"]) })
            }
            other => self.action_on_whole(other),
        }
    }

    /// The kinds that are about more than single fields.
    fn action_on_whole(&mut self, which: usize) -> Value {
        match which {
            10 => {
                let mut step = json!({ "kind": "explode", "field": self.pick(&["items", "tags", "total", "deep"]), "keep_empty": true });
                if self.one_in(2) {
                    step["to"] = "item".into();
                }
                step
            }
            11 => {
                let depth = self.under(17);
                json!({ "kind": "flatten", "separator": self.pick(&["underscore", "dot"]), "depth": depth })
            }
            12 => {
                let format = self.pick(&[
                    "auto",
                    "day_first",
                    "month_first",
                    "unix_seconds",
                    "unix_milliseconds",
                    "pattern",
                ]);
                let format = match format {
                    "pattern" => {
                        json!({ "pattern": self.pick(&["%d.%m.%Y %H:%M", "%Y-%m-%d", "%d %b %Y", "%Q"]) })
                    }
                    word => word.into(),
                };
                let zone = self.pick(&["UTC", "+02:00", "-11:30"]);
                json!({ "kind": "parse_date", "fields": [self.pick(&["at", "name", "total"])], "format": format, "zone": zone })
            }
            13 => {
                let style = self.pick(&["full", "keep_last", "email"]);
                let style = match style {
                    "keep_last" => json!({ "keep_last": self.under(9) }),
                    word => word.into(),
                };
                json!({ "kind": "mask", "fields": self.paths(), "style": style })
            }
            14 if self.one_in(2) => json!({ "kind": "hash", "fields": self.paths() }),
            14 => {
                json!({ "kind": "deduplicate", "keys": [self.path()], "within_seconds": 60, "remember": 3 })
            }
            15 => json!({ "kind": "script", "source": self.formula(&SCRIPTS) }),
            _ if self.one_in(2) => json!({
                "kind": "lookup", "field": self.path(), "columns": ["code", "country", "eu"],
                "rows": [["DE", "Germany", true], ["ann", "Ann", null], [1, "one", 1.5]],
                "ignore_case": self.one_in(2), "required": self.one_in(3),
            }),
            _ => json!({
                "kind": "window", "time_field": "at", "size_seconds": 3600, "group_by": ["customer.country"],
                "measures": [
                    { "aggregate": "count", "to": "n" },
                    { "aggregate": self.pick(&["sum", "avg", "min", "max", "first", "last"]), "field": self.path(), "to": "m" },
                ],
            }),
        }
    }

    fn record(&mut self) -> Value {
        if self.one_in(40) {
            return json!([self.value(1)]);
        }
        let mut fields = Map::new();
        for name in [
            "id",
            "total",
            "name",
            "at",
            "flag",
            "tags",
            "größe",
            "a.b",
            "__proto__",
            "x",
        ] {
            if !self.one_in(4) {
                let value = self.fitting(name);
                fields.insert(name.to_owned(), value);
            }
        }
        let items =
            (0..self.under(4)).map(|_| json!({ "price": self.number(), "count": self.under(5) }));
        let items: Vec<Value> = items.collect();
        fields.insert("items".to_owned(), items.into());
        let country = self.pick(&["DE", "de", "FR", ""]);
        let email = self.text();
        fields.insert(
            "customer".to_owned(),
            json!({ "country": country, "email": email }),
        );
        if self.one_in(3) {
            fields.insert("deep".to_owned(), self.value(6));
        }
        Value::Object(fields)
    }

    /// What a field of this name has most of the time; sometimes anything.
    fn fitting(&mut self, name: &str) -> Value {
        if self.one_in(6) {
            return self.value(2);
        }
        match name {
            "id" | "total" => self.number(),
            "flag" => self.one_in(2).into(),
            "at" => self.time(),
            "tags" => json!(["b", "a", "a", self.text()]),
            _ => self.text(),
        }
    }

    fn number(&mut self) -> Value {
        match self.under(16) {
            0 => json!(i64::MIN),
            1 => json!(u64::MAX),
            2 => json!(9_007_199_254_740_993_i64),
            3 => json!(1e308),
            4 => json!(-0.0),
            5 => json!(5e-324),
            6 => json!(0.1),
            7 => json!(1.0),
            8 => json!(1e21),
            9 => json!("184.20"),
            10 => json!(" 42 "),
            11 => json!("n/a"),
            12 => json!(self.next() >> 11),
            // Half of them are ordinary prices.
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
            _ => json!(self.under(100_000) as f64 / 100.0),
        }
    }

    fn time(&mut self) -> Value {
        match self.under(8) {
            0 => json!("2026-11-22"),
            1 => json!("22.11.2026 14:30"),
            2 => json!("11/22/2026 2:30 PM"),
            3 => json!(1_795_348_800),
            4 => json!("Sun, 22 Nov 2026 12:00:00 +0100"),
            5 => json!("2026-02-30T00:00:00Z"),
            6 => json!(-1),
            _ => json!(format!(
                "2026-11-22T{:02}:{:02}:00.5+01:00",
                self.under(14),
                self.under(60)
            )),
        }
    }

    fn text(&mut self) -> Value {
        match self.under(14) {
            0 => json!(""),
            1 => json!("Ann Lee"),
            2 => json!("cancelled"),
            3 => json!("👩‍👩‍👧 e\u{301} ﬃ ß İ"),
            4 => json!("\u{202e}evil\u{0}\u{2028}\u{7f}"),
            5 => json!("a".repeat(3_000)),
            6 => json!("ann.lee@example.com"),
            7 => json!("4111111111111111"),
            8 => json!("<script>alert(1)</script>"),
            9 => json!("'; DROP TABLE records; --"),
            10 => json!("ǅ ΣΑΣ Ω K"),
            11 => json!("NaN"),
            12 => json!("0x1F 1_000 ½ ٣"),
            _ => json!(format!("text {}", self.under(1_000))),
        }
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.under(if depth == 0 { 5 } else { 8 }) {
            0 => Value::Null,
            1 => self.one_in(2).into(),
            2 => self.number(),
            3 => self.time(),
            4 => self.text(),
            5 => (0..self.under(4)).map(|_| self.value(depth - 1)).collect(),
            _ => {
                let fields = (0..self.under(4)).map(|_| {
                    let name = self.pick(&["a", "b.c", "", "constructor", "ü", "[0]"]);
                    (name.to_owned(), self.value(depth - 1))
                });
                Value::Object(fields.collect())
            }
        }
    }
}
