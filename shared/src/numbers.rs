//! Reading numbers from texts.

/// Reads a decimal number: `-12.5`, `+.5`, `1e3`. Right to the last bit for what people write, up to
/// 15 digits and 22 zeros, and to 14 digits beyond. None for other texts, and for what is too large.
///
/// The server reads with [`exact`]; the tables that takes are a part of what a page would load.
pub fn approximate(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent_of(exponent)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // The digits as one whole number, and the power of ten that it has to be multiplied with.
    let (mut digits, mut power) = (0_u64, exponent);
    for (byte, is_fraction) in whole
        .bytes()
        .map(|byte| (byte, false))
        .chain(fraction.bytes().map(|byte| (byte, true)))
    {
        if !byte.is_ascii_digit() {
            return None;
        }
        let has_room = digits < 10_u64.pow(17);
        if has_room {
            digits = digits * 10 + u64::from(byte - b'0');
        }
        power += i32::from(!has_room) - i32::from(is_fraction);
    }
    #[expect(clippy::cast_precision_loss, reason = "the promised precision")]
    let digits = digits as f64;
    let size = if power < 0 {
        // In two steps, or a large power would be infinite.
        digits / 10_f64.powi((-power).min(300)) / 10_f64.powi((-power - 300).max(0))
    } else if digits > 0.0 {
        digits * 10_f64.powi(power)
    } else {
        0.0
    };
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    size.is_finite().then_some(sign * size)
}

/// The power of ten after an `e`; beyond what there are numbers for, it does not matter how far.
fn exponent_of(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse().unwrap_or(i32::MAX).min(10_000);
    Some(if text.starts_with('-') { -size } else { size })
}

/// Reads what [`approximate`] reads, right to the last bit. For parts of the client that are only
/// fetched when somebody edits, and for the server.
pub fn precise(text: &str) -> Option<f64> {
    // The standard library reads words like “inf”, too.
    let is_plain = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    let number: f64 = text.bytes().all(is_plain).then(|| text.parse().ok())??;
    number.is_finite().then_some(number)
}

/// Reads what [`approximate`] reads, right to the last bit where that is worth its weight.
#[cfg(not(target_arch = "wasm32"))]
pub fn exact(text: &str) -> Option<f64> {
    precise(text)
}

/// In a browser numbers from texts are only shown.
#[cfg(target_arch = "wasm32")]
pub fn exact(text: &str) -> Option<f64> {
    approximate(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The standard library's reading, without its words for what is no number.
    fn expected(text: &str) -> Option<f64> {
        let has_digits = text.contains(|letter: char| letter.is_ascii_digit());
        let number = text.parse::<f64>().ok().filter(|_| has_digits)?;
        number.is_finite().then_some(number)
    }

    fn check(text: &str) {
        assert_eq!(exact(text), expected(text), "{text}");
        match (approximate(text), expected(text)) {
            (Some(found), Some(expected)) => {
                let off = (found - expected).abs();
                assert!(
                    off <= expected.abs() * 1e-14,
                    "{text}: {found}, not {expected}"
                );
            }
            (found, expected) => assert_eq!(found, expected, "{text}"),
        }
    }

    #[test]
    fn the_usual_forms_are_read() {
        for text in [
            "0",
            "-0",
            "1",
            "-12.5",
            "+.5",
            "5.",
            ".",
            "",
            "-",
            "e5",
            "1e",
            "1e+",
            "1e5",
            "1E-5",
            "1.2.3",
            "1_000",
            " 1",
            "0x10",
            "inf",
            "NaN",
            "1e999",
            "1e-999",
            "0e999",
            "123456789012345678901234567890",
            "0.000000000000000000001",
            "1e99999999999",
        ] {
            check(text);
        }
    }

    #[test]
    fn fifteen_digits_are_exact() {
        for text in [
            "184.2",
            "0.1",
            "123456789012.345",
            "999999999999999",
            "1.1e22",
        ] {
            assert_eq!(approximate(text), text.parse().ok(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn numbers_are_read_like_the_standard_library_does(text in "[+-]?[0-9]{0,20}\\.?[0-9]{0,20}(e[+-]?[0-9]{1,2})?") {
            check(&text);
        }

        #[test]
        fn what_is_nearly_a_number_is_none(text in "[0-9.eE+ -]{0,12}") {
            prop_assert_eq!(approximate(&text).is_some(), expected(&text).is_some());
        }
    }
}
