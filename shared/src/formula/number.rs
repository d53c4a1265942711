//! Numbers as people reckon with them: decimals of 28 digits, so that 0.1 + 0.2 is 0.3 and a large
//! whole number stays what it is. What a decimal cannot hold goes on as a float; infinity and what
//! is no number do not exist.

use std::cmp::Ordering;
use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Number as JsonNumber;

use crate::numbers;

/// Floats from here on do not fit a decimal.
const LARGEST_DECIMAL: f64 = 7.9e28;
/// Floats nearer to zero lose too many digits as a decimal.
const SMALLEST_DECIMAL: f64 = 1e-12;
/// Up to here every whole number is a float of its own.
const EXACT_WHOLE: f64 = 9_007_199_254_740_992.0;
/// Up to here, a decimal of that many digits is the only one that a float stands for.
const FIFTEEN_DIGITS: f64 = 1e15;
/// The largest power a number is raised to by multiplying.
const MAX_WHOLE_POWER: u32 = 1_000;
/// The powers of ten that are exact as floats and that matter here.
const POWERS: [f64; 16] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

/// A number of a formula.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// Exact, up to 28 digits.
    Exact(Decimal),
    /// Too large or too small for that; always finite.
    Rough(f64),
}

impl Number {
    /// Zero.
    pub const ZERO: Self = Self::Exact(Decimal::ZERO);

    /// The number that JSON has.
    pub fn from_json(number: &JsonNumber) -> Self {
        if let Some(whole) = number.as_i64() {
            return whole.into();
        }
        if let Some(whole) = number.as_u64() {
            return Self::Exact(whole.into());
        }
        let float = number.as_f64().unwrap_or_default();
        Self::of_short_float(float).unwrap_or_else(|| Self::of_digits(float, &number.to_string()))
    }

    /// A float as the decimal that people write for it; none for what is not finite.
    pub fn from_f64(float: f64) -> Option<Self> {
        Self::of_short_float(float).or_else(|| {
            let number = JsonNumber::from_f64(float)?;
            Some(Self::of_digits(float, &number.to_string()))
        })
    }

    /// Most floats that come in are short decimals, like a price: found without writing digits.
    fn of_short_float(float: f64) -> Option<Self> {
        for (scale, power) in (0..).zip(POWERS.iter().take(9)) {
            let whole = (float * power).round();
            if whole.abs() >= FIFTEEN_DIGITS {
                return None;
            }
            if is_same(whole / power, float) {
                #[expect(clippy::cast_possible_truncation, reason = "15 digits at most")]
                return Some(Self::Exact(Decimal::new(whole as i64, scale)));
            }
        }
        None
    }

    fn of_digits(float: f64, digits: &str) -> Self {
        let size = float.abs();
        let fits = (SMALLEST_DECIMAL..LARGEST_DECIMAL).contains(&size);
        let read = |digits: &str| {
            if digits.contains(['e', 'E']) {
                Decimal::from_scientific(digits).ok()
            } else {
                digits.parse().ok()
            }
        };
        fits.then(|| read(digits))
            .flatten()
            .map_or(Self::Rough(float), Self::Exact)
    }

    /// Reads digits as people type them: `-12.50`, `1e3`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let plain = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+');
        if text.len() <= 30
            && text.chars().all(plain)
            && text.contains(|c: char| c.is_ascii_digit())
            && let Ok(number) = text.parse()
        {
            return Some(Self::Exact(number));
        }
        Self::from_f64(numbers::precise(text)?)
    }

    /// The number for JSON: whole numbers as such, others as a float.
    pub fn to_json(self) -> Option<JsonNumber> {
        if let Self::Exact(number) = self {
            let whole = whole_of(number);
            if let Some(whole) = whole.and_then(|whole| i64::try_from(whole).ok()) {
                return Some(whole.into());
            }
            if let Some(whole) = whole.and_then(|whole| u64::try_from(whole).ok()) {
                return Some(whole.into());
            }
        }
        JsonNumber::from_f64(self.to_f64())
    }

    /// The nearest float.
    pub fn to_f64(self) -> f64 {
        let number = match self {
            Self::Rough(float) => return float,
            Self::Exact(number) => number,
        };
        #[expect(
            clippy::cast_precision_loss,
            reason = "only used where nothing is lost"
        )]
        let mantissa = number.mantissa() as f64;
        match POWERS.get(number.scale() as usize) {
            // One division of two exact floats is rounded right.
            Some(power) if mantissa.abs() < EXACT_WHOLE => mantissa / power,
            _ => numbers::precise(&number.to_string()).unwrap_or_default(),
        }
    }

    /// The whole number, when it is one that small.
    pub fn to_i64(self) -> Option<i64> {
        match self {
            Self::Exact(number) => i64::try_from(whole_of(number)?).ok(),
            Self::Rough(_) => None,
        }
    }

    /// Whether it is zero.
    pub fn is_zero(self) -> bool {
        match self {
            Self::Exact(number) => number.is_zero(),
            Self::Rough(_) => false,
        }
    }

    /// The sum; none when it is larger than any number.
    pub fn plus(self, other: Self) -> Option<Self> {
        self.both(other, Decimal::checked_add, |a, b| a + b)
    }

    /// The difference; none when it is larger than any number.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.both(other, Decimal::checked_sub, |a, b| a - b)
    }

    /// The product; none when it is larger than any number.
    pub fn times(self, other: Self) -> Option<Self> {
        self.both(other, Decimal::checked_mul, |a, b| a * b)
    }

    /// The quotient; none for a division by zero.
    pub fn divided_by(self, other: Self) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        self.both(other, Decimal::checked_div, |a, b| a / b)
    }

    /// What a division leaves, with the sign of the dividend; none for a division by zero.
    pub fn remainder(self, other: Self) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        self.both(other, Decimal::checked_rem, |a, b| a % b)
    }

    /// The power; none when it is no number, or larger than any.
    pub fn to_the(self, power: Self) -> Option<Self> {
        let whole = power.to_i64().and_then(|power| u32::try_from(power).ok());
        if let (Self::Exact(base), Some(mut left)) = (self, whole)
            && left <= MAX_WHOLE_POWER
        {
            let (mut result, mut square) = (Some(Decimal::ONE), Some(base));
            while left > 0 {
                if left % 2 == 1 {
                    result = result.zip(square).and_then(|(a, b)| a.checked_mul(b));
                }
                left /= 2;
                if left > 0 {
                    square = square.and_then(|square| square.checked_mul(square));
                }
            }
            if let Some(result) = result {
                return Some(Self::Exact(result));
            }
        }
        Self::from_f64(self.to_f64().powf(power.to_f64()))
    }

    fn both(
        self,
        other: Self,
        exact: fn(Decimal, Decimal) -> Option<Decimal>,
        rough: fn(f64, f64) -> f64,
    ) -> Option<Self> {
        if let (Self::Exact(a), Self::Exact(b)) = (self, other)
            && let Some(result) = exact(a, b)
        {
            return Some(Self::Exact(result));
        }
        Self::from_f64(rough(self.to_f64(), other.to_f64()))
    }

    /// The same number with the other sign.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Exact(number) => Self::Exact(-number),
            Self::Rough(float) => Self::Rough(-float),
        }
    }

    /// The number without its sign.
    #[must_use]
    pub fn size(self) -> Self {
        match self {
            Self::Exact(number) => Self::Exact(number.abs()),
            Self::Rough(float) => Self::Rough(float.abs()),
        }
    }

    /// Rounded to so many digits after the point, halves away from zero.
    #[must_use]
    pub fn rounded(self, digits: u32) -> Self {
        self.with_digits(digits, RoundingStrategy::MidpointAwayFromZero)
    }

    /// The next whole number that is not larger.
    #[must_use]
    pub fn rounded_down(self) -> Self {
        self.with_digits(0, RoundingStrategy::ToNegativeInfinity)
    }

    /// The next whole number that is not smaller.
    #[must_use]
    pub fn rounded_up(self) -> Self {
        self.with_digits(0, RoundingStrategy::ToPositiveInfinity)
    }

    fn with_digits(self, digits: u32, how: RoundingStrategy) -> Self {
        match self {
            Self::Exact(number) => Self::Exact(number.round_dp_with_strategy(digits.min(28), how)),
            // Larger than any fraction, or as good as zero.
            Self::Rough(float) if float.abs() > 1.0 => self,
            Self::Rough(_) => Self::ZERO,
        }
    }
}

/// The whole number that a decimal is, if it is one.
fn whole_of(number: Decimal) -> Option<i128> {
    if number.scale() == 0 {
        return Some(number.mantissa());
    }
    let number = number.normalize();
    (number.scale() == 0).then(|| number.mantissa())
}

fn is_same(a: f64, b: f64) -> bool {
    a.partial_cmp(&b) == Some(Ordering::Equal)
}

impl From<i64> for Number {
    fn from(whole: i64) -> Self {
        Self::Exact(whole.into())
    }
}

impl From<usize> for Number {
    fn from(whole: usize) -> Self {
        Self::Exact(whole.into())
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Exact(a), Self::Exact(b)) => a.cmp(b),
            // Both are finite.
            (a, b) => a.to_f64().total_cmp(&b.to_f64()),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(number) => match whole_of(*number) {
                Some(whole) => whole.fmt(f),
                None => number.normalize().fmt(f),
            },
            Self::Rough(float) => match JsonNumber::from_f64(*float) {
                Some(number) => number.fmt(f),
                None => f.write_str("0"),
            },
        }
    }
}

/// As text: the same form for every format, and no digit is lost.
impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a number"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn number(value: Value) -> Number {
        match value {
            Value::Number(number) => Number::from_json(&number),
            _ => unreachable!("the tests have numbers"),
        }
    }

    #[test]
    fn decimals_are_exact() {
        let sum = number(json!(0.1)).plus(number(json!(0.2))).unwrap();
        assert_eq!(sum.to_json(), json!(0.3).as_number().cloned());
        let half = number(json!(3)).divided_by(number(json!(2))).unwrap();
        assert_eq!(half.to_string(), "1.5");
        let cents = number(json!(1.005)).times(number(json!(100))).unwrap();
        assert_eq!(cents.to_string(), "100.5");
        assert_eq!(number(json!(2.675)).rounded(2).to_string(), "2.68");
        assert_eq!(number(json!(-2.5)).rounded(0).to_string(), "-3");
    }

    #[test]
    fn whole_numbers_beyond_floats_stay_what_they_are() {
        for value in [
            json!(9_007_199_254_740_993_i64),
            json!(u64::MAX),
            json!(i64::MIN),
        ] {
            let found = number(value.clone());
            assert_eq!(found.to_json().map(Value::Number), Some(value.clone()));
            let next = found
                .plus(1_i64.into())
                .and_then(|next| next.minus(1_i64.into()));
            assert_eq!(
                next.and_then(Number::to_json).map(Value::Number),
                Some(value)
            );
        }
    }

    #[test]
    fn what_no_decimal_holds_goes_on_as_a_float() {
        let huge = number(json!(1e300));
        assert_eq!(huge.times(2_i64.into()).unwrap().to_string(), "2e+300");
        assert_eq!(huge.times(huge), None);
        assert_eq!(
            number(json!(1e-300)).to_json(),
            json!(1e-300).as_number().cloned()
        );
        let large = number(json!(4e28));
        assert_eq!(large.times(2_i64.into()).unwrap().to_string(), "8e+28");
        assert_eq!(Number::from(1_i64).divided_by(Number::ZERO), None);
        assert_eq!(Number::from(10_i64).to_the(1_000_000_i64.into()), None);
        assert_eq!(
            Number::from(2_i64).to_the(10_i64.into()),
            Some(1024_i64.into())
        );
        assert_eq!(
            Number::from(-8_i64).to_the(Number::parse("0.5").unwrap()),
            None
        );
    }

    proptest! {
        #[test]
        fn a_float_comes_out_as_it_went_in(float in proptest::num::f64::NORMAL | proptest::num::f64::ZERO) {
            let value = JsonNumber::from_f64(float).unwrap();
            let back = Number::from_json(&value).to_json().unwrap().as_f64().unwrap();
            // A decimal of 28 digits holds 15 digits of any float that it holds at all.
            prop_assert!((back - float).abs() <= float.abs() * 1e-15, "{float} {back}");
        }

        #[test]
        fn a_price_comes_out_as_it_went_in(cents in -1_000_000_000_000_i64..1_000_000_000_000) {
            #[expect(clippy::cast_precision_loss, reason = "small enough")]
            let float = cents as f64 / 100.0;
            let found = Number::from_f64(float).unwrap();
            prop_assert_eq!(found, Number::Exact(Decimal::new(cents, 2)));
            prop_assert_eq!(found.to_f64().to_bits(), if cents == 0 { 0 } else { float.to_bits() });
        }

        #[test]
        fn reckoning_never_fails_in_another_way(a: f64, b: f64) {
            if let Some((a, b)) = Number::from_f64(a).zip(Number::from_f64(b)) {
                for result in [a.plus(b), a.minus(b), a.times(b), a.divided_by(b), a.remainder(b), a.to_the(b)] {
                    prop_assert!(result.is_none_or(|result| result.to_f64().is_finite()));
                }
            }
        }
    }
}
