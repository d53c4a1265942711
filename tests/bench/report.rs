//! What a benchmark found: a table for people, JSON for programs.

use dash_tests::environment;
use serde_json::{Value, json};

/// One measurement, beside a baseline that was measured in the same run on the same machine.
#[derive(Debug)]
pub struct Measurement {
    /// What was measured.
    pub name: String,
    /// The figure.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// The same figure for the baseline.
    pub baseline: f64,
    /// The largest value that is good enough.
    pub goal: f64,
}

impl Measurement {
    fn json(&self) -> Value {
        json!({
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "baseline": self.baseline,
            "ratio": self.value / self.baseline,
            "goal": self.goal,
            "met": self.value <= self.goal,
        })
    }
}

/// Prints the table and writes the file.
pub fn publish(name: &str, measured: &[Measurement]) {
    println!(
        "\n{:<44} {:>10} {:>10} {:>7} {:>10}  met",
        name, "value", "baseline", "ratio", "goal"
    );
    for one in measured {
        println!(
            "{:<44} {:>7.1} {:<2} {:>7.1} {:<2} {:>7.2} {:>7.0} {:<2}  {}",
            one.name,
            one.value,
            one.unit,
            one.baseline,
            one.unit,
            one.value / one.baseline,
            one.goal,
            one.unit,
            if one.value <= one.goal { "yes" } else { "NO" }
        );
    }
    let folder = environment::bench_dir();
    std::fs::create_dir_all(&folder).expect("the folder for results can be made");
    let list: Vec<Value> = measured.iter().map(Measurement::json).collect();
    let path = folder.join(format!("{name}.json"));
    std::fs::write(&path, format!("{:#}\n", Value::from(list))).expect("results can be written");
    println!("\nwritten to {}", path.display());
}
