//! How the bytes of signatures are written: hexadecimal digits and base64.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Some senders leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// No signature is longer, so nothing longer is decoded.
const MAX_BYTES: usize = 1_024;

/// What hexadecimal digits stand for.
pub(super) fn hex(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() > MAX_BYTES || !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
        _ => None,
    };
    text.chunks(2).map(byte).collect()
}

/// What base64 stands for.
pub(super) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() > MAX_BYTES {
        return None;
    }
    BASE64.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_written_right_is_nothing() {
        assert_eq!(hex(b"00fFa0"), Some(vec![0, 255, 160]));
        assert_eq!(hex(b""), Some(Vec::new()));
        for wrong in ["0", "0g", "é", "0x", " 1"] {
            assert_eq!(hex(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(base64(b"AP+g"), Some(vec![0, 255, 160]));
        assert_eq!(base64(b"AA=="), Some(vec![0]));
        assert_eq!(base64(b"AA"), Some(vec![0]));
        for wrong in ["A", "A-==", "AB==", "A A="] {
            assert_eq!(base64(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(hex(&[b'0'; 2_000]), None);
        assert_eq!(base64(&[b'A'; 2_000]), None);
    }
}
