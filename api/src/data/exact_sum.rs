//! Sums of floating-point numbers without rounding in between: whatever the order in which values
//! are added, and however sums are merged, the result is the true sum, rounded once. That is what
//! makes an incremental roll-up equal to a rebuilt one, to the last digit.
//!
//! A sum is kept as a few numbers of growing size that do not overlap (J. R. Shewchuk, “Adaptive
//! Precision Floating-Point Arithmetic”, 1997); money and measurements need one or two of them.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// Values beyond this could overflow a sum of 2^60 of them; they are counted, not added.
const MAX_ADDEND: f64 = 1e289;

/// A sum.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExactSum {
    /// Numbers whose bits do not overlap, the smallest first; their sum is the sum.
    parts: SmallVec<[f64; 2]>,
    /// How many values were too large to be added.
    too_large: u32,
}

impl ExactSum {
    /// Adds a value.
    pub fn add(&mut self, value: f64) {
        if value.abs() > MAX_ADDEND {
            self.too_large = self.too_large.saturating_add(1);
        } else {
            self.add_part(value);
        }
    }

    /// Adds all that another sum has added.
    pub fn merge(&mut self, other: &Self) {
        self.too_large = self.too_large.saturating_add(other.too_large);
        for part in &other.parts {
            self.add_part(*part);
        }
    }

    fn add_part(&mut self, value: f64) {
        let mut carry = value;
        let mut kept = 0;
        for index in 0..self.parts.len() {
            let part = self.parts[index];
            let (large, small) = if carry.abs() < part.abs() {
                (part, carry)
            } else {
                (carry, part)
            };
            let sum = large + small;
            let rest = small - (sum - large);
            if rest != 0.0 {
                self.parts[kept] = rest;
                kept += 1;
            }
            carry = sum;
        }
        self.parts.truncate(kept);
        if carry != 0.0 {
            self.parts.push(carry);
        }
    }

    /// The sum, rounded to the nearest number, ties to even. None if it cannot be told because
    /// there were values too large to be added.
    pub fn value(&self) -> Option<f64> {
        if self.too_large > 0 {
            return None;
        }
        let mut parts = self.parts.iter().rev().copied();
        let mut sum = parts.next().unwrap_or(0.0);
        let mut rest = 0.0;
        for part in parts.by_ref() {
            let before = sum;
            sum = before + part;
            rest = part - (sum - before);
            if rest != 0.0 {
                break;
            }
        }
        // Exactly half-way between two numbers, what is left below decides which way to round.
        if let Some(next) = parts.next()
            && ((rest < 0.0 && next < 0.0) || (rest > 0.0 && next > 0.0))
        {
            let doubled = rest * 2.0;
            let moved = sum + doubled;
            #[expect(clippy::float_cmp, reason = "exact by construction")]
            if doubled == moved - sum {
                sum = moved;
            }
        }
        Some(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(values: &[f64]) -> Option<f64> {
        let mut sum = ExactSum::default();
        for value in values {
            sum.add(*value);
        }
        sum.value()
    }

    #[test]
    fn sums_are_rounded_once() {
        let check = |values: &[f64], expected: f64| assert_eq!(sum(values), Some(expected));
        check(&[], 0.0);
        check(&[0.1; 10], 1.0);
        check(&[1e100, 1.0, -1e100], 1.0);
        check(&[1e16, 1.0, 1e-16], 10_000_000_000_000_002.0);
        check(&[2f64.powi(53), 1.0, 2f64.powi(-60)], 2f64.powi(53) + 2.0);
        check(&[2f64.powi(53), 1.0], 2f64.powi(53));
        check(&[-5.0, 5.0], 0.0);
    }

    #[test]
    fn what_is_too_large_makes_the_sum_unknown_in_any_order() {
        assert_eq!(sum(&[1.7e308, 1.7e308, -1.7e308]), None);
        assert_eq!(sum(&[1e288; 100]), Some(1e290));
    }

    proptest! {
        #[test]
        fn neither_order_nor_grouping_changes_a_sum(
            values in prop::collection::vec(
                prop_oneof![-1e6..1e6f64, any::<f64>().prop_filter("finite", |v| v.is_finite())],
                0..60,
            ),
            cut in 0usize..60,
        ) {
            let forward = sum(&values);
            let mut reversed = values.clone();
            reversed.reverse();
            prop_assert_eq!(forward, sum(&reversed));
            let (first, second) = values.split_at(cut.min(values.len()));
            let mut merged = ExactSum::default();
            let mut other = ExactSum::default();
            for value in first {
                other.add(*value);
            }
            for value in second {
                merged.add(*value);
            }
            merged.merge(&other);
            prop_assert_eq!(forward, merged.value());
        }
    }
}
