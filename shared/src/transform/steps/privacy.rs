//! What hides values: masks and keyed hashes. A value that cannot be hidden never goes on as it is.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::{Context, key_text};
use crate::fields::{FieldPath, Fields};
use crate::transform::definition::{HashStep, MaskStep, MaskStyle};
use crate::transform::outcome::Fault;

/// What stands for what is hidden: always as many, so that a length tells nothing.
const HIDDEN: &str = "•••";

pub fn mask(step: &MaskStep, fields: &mut Fields, context: &mut Context<'_>) -> Result<(), Fault> {
    replace(&step.fields, fields, context, |text| match step.style {
        MaskStyle::Full => HIDDEN.to_owned(),
        MaskStyle::KeepLast(count) => keep_last(text, usize::from(count)),
        MaskStyle::Email => email(text),
    })
}

pub fn hash(step: &HashStep, fields: &mut Fields, context: &mut Context<'_>) -> Result<(), Fault> {
    let salt = context.environment.salt();
    replace(&step.fields, fields, context, |text| keyed_hash(salt, text))
}

/// Replaces the values of fields. Nothing stays nothing, and so does what cannot be replaced.
fn replace(
    paths: &[FieldPath],
    fields: &mut Fields,
    context: &mut Context<'_>,
    with: impl Fn(&str) -> String,
) -> Result<(), Fault> {
    for path in paths {
        let Some(value) = path.get_mut(fields) else {
            continue;
        };
        let replaced = match &*value {
            Value::Null => Ok(Value::Null),
            value => key_text(value)
                .map(|text| Value::String(with(&text)))
                .ok_or_else(|| {
                    // The error list shows nothing of what has to be hidden.
                    let hidden = Value::from(HIDDEN);
                    Fault::new(
                        path,
                        &hidden,
                        "a list or an object cannot be hidden as a whole",
                    )
                }),
        };
        *value = Value::Null;
        match replaced {
            Ok(replaced) => *value = replaced,
            Err(fault) => context.keep(fault)?,
        }
    }
    Ok(())
}

/// The last characters, but never more than half of them.
fn keep_last(text: &str, count: usize) -> String {
    let length = text.chars().count();
    let shown = count.min(length / 2);
    let last: String = text.chars().skip(length - shown).collect();
    format!("{HIDDEN}{last}")
}

/// `a•••@example.com`; all of it hidden when it is no address.
fn email(text: &str) -> String {
    let Some((name, domain)) = text.trim().rsplit_once('@') else {
        return HIDDEN.to_owned();
    };
    match name.chars().next() {
        Some(first) if !domain.is_empty() => format!("{first}{HIDDEN}@{domain}"),
        _ => HIDDEN.to_owned(),
    }
}

/// HMAC-SHA-256 in hexadecimal digits.
fn keyed_hash(salt: &[u8], text: &str) -> String {
    // A key of any length is taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(salt) else {
        return HIDDEN.to_owned();
    };
    mac.update(text.as_bytes());
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    mac.finalize()
        .into_bytes()
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}
