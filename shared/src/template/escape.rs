//! How a value is written into a place, so that it stays a value there.

use serde_json::Value;

/// What a template's text becomes a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A JSON document. Inside of a text, a value is written as a part of it; outside, as a value of
    /// its own.
    Json,
    /// Text of any kind, of several lines.
    Text,
    /// Text of one line: the subject of a mail.
    Line,
    /// A message in Slack's markup.
    Slack,
    /// An address.
    Url,
}

impl Place {
    /// Writes a value.
    pub(super) fn write(self, to: &mut String, value: &Value, quoted: bool) {
        match self {
            Self::Json if !quoted => to.push_str(&value.to_string()),
            Self::Json => {
                let text = Value::String(text_of(value)).to_string();
                // Without the quotation marks, which the template has.
                to.push_str(text.get(1..text.len() - 1).unwrap_or_default());
            }
            Self::Text => to.push_str(&text_of(value)),
            Self::Line => {
                let text = text_of(value);
                to.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
            }
            Self::Slack => {
                for letter in text_of(value).chars() {
                    match letter {
                        '&' => to.push_str("&amp;"),
                        '<' => to.push_str("&lt;"),
                        '>' => to.push_str("&gt;"),
                        other => to.push(other),
                    }
                }
            }
            Self::Url => percent_encode(to, &text_of(value)),
        }
    }
}

/// A value as people read it.
fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Everything but letters, digits and `-._~` (RFC 3986's unreserved characters) is encoded.
fn percent_encode(to: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            to.push(char::from(byte));
        } else {
            to.push('%');
            to.push(char::from(HEX[usize::from(byte >> 4)]));
            to.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// Whether a JSON document is inside of a text after this piece of it.
pub(super) fn ends_quoted(piece: &str, mut quoted: bool) -> bool {
    let mut escaped = false;
    for byte in piece.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
    }
    quoted
}
