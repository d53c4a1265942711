//! What a benchmark found: a table for people, JSON for programs.

use dash_tests::environment;
use serde_json::{Value, json};

/// What is good enough.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    /// The value itself is at most this.
    AtMost(f64),
    /// The value is at least this share of the baseline.
    RatioAtLeast(f64),
    /// The value is at most this many times the baseline.
    RatioAtMost(f64),
}

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
    /// What is good enough.
    pub goal: Goal,
}

impl Measurement {
    fn ratio(&self) -> f64 {
        self.value / self.baseline
    }

    fn is_met(&self) -> bool {
        match self.goal {
            Goal::AtMost(most) => self.value <= most,
            Goal::RatioAtLeast(least) => self.ratio() >= least,
            Goal::RatioAtMost(most) => self.ratio() <= most,
        }
    }

    fn goal_text(&self) -> String {
        match self.goal {
            Goal::AtMost(most) => format!("≤ {most} {}", self.unit),
            Goal::RatioAtLeast(least) => format!("≥ {least} ×"),
            Goal::RatioAtMost(most) => format!("≤ {most} ×"),
        }
    }

    fn json(&self) -> Value {
        let (goal, of) = match self.goal {
            Goal::AtMost(most) => (most, "value at most"),
            Goal::RatioAtLeast(least) => (least, "ratio at least"),
            Goal::RatioAtMost(most) => (most, "ratio at most"),
        };
        json!({
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "baseline": self.baseline,
            "ratio": self.ratio(),
            "goal": goal,
            "goalIs": of,
            "met": self.is_met(),
        })
    }
}

/// Prints the table and writes the file.
pub fn publish(name: &str, measured: &[Measurement]) {
    println!(
        "\n{name:<44} {:>16} {:>16} {:>7} {:>12}  met",
        "value", "baseline", "ratio", "goal"
    );
    for one in measured {
        println!(
            "{:<44} {:>16} {:>16} {:>7.2} {:>12}  {}",
            one.name,
            format!("{:.1} {}", one.value, one.unit),
            format!("{:.1} {}", one.baseline, one.unit),
            one.ratio(),
            one.goal_text(),
            if one.is_met() { "yes" } else { "NO" }
        );
    }
    let folder = environment::bench_dir();
    std::fs::create_dir_all(&folder).expect("the folder for results can be made");
    let list: Vec<Value> = measured.iter().map(Measurement::json).collect();
    let path = folder.join(format!("{name}.json"));
    std::fs::write(&path, format!("{:#}\n", Value::from(list))).expect("results can be written");
    println!("\nwritten to {}", path.display());
}
