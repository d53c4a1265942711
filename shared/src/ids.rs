//! Newtype ids. In memory and in the database an id is a UUID version 7; outside it is text with
//! a prefix that says what it names, e.g. `pip_01jd…`, in Crockford's base 32.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Crockford's base 32 alphabet, lower case: no i, l, o, u.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The length of a UUID's text in base 32.
const ENCODED_LEN: usize = 26;

/// The text is not an id of the wanted kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {prefix} id")]
pub struct InvalidId {
    /// The prefix that the id should have had, without the underscore.
    pub prefix: &'static str,
}

fn encode(uuid: Uuid) -> String {
    let mut value = uuid.as_u128();
    let mut text = [0u8; ENCODED_LEN];
    for place in text.iter_mut().rev() {
        *place = ALPHABET[(value & 31) as usize];
        value >>= 5;
    }
    text.iter().map(|byte| char::from(*byte)).collect()
}

fn decode(text: &str) -> Option<Uuid> {
    if text.len() != ENCODED_LEN {
        return None;
    }
    let mut value: u128 = 0;
    for (place, byte) in text.bytes().enumerate() {
        let digit = ALPHABET.iter().position(|letter| *letter == byte)?;
        // 26 digits hold 130 bits: the first may only use the lowest three of its five.
        if place == 0 && digit > 7 {
            return None;
        }
        value = value << 5 | digit as u128;
    }
    Some(Uuid::from_u128(value))
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// What the text of such an id begins with, without the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A new id that sorts after those made before it.
            #[expect(clippy::new_without_default, reason = "a new id is never a default value")]
            #[cfg(not(target_arch = "wasm32"))]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id with this UUID, as it was read from the database.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID, as it is stored in the database.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(decode)
                    .map(Self)
                    .ok_or(InvalidId { prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// A billing account: owns the plan, the limits and the usage.
    OrganizationId = "org";
    /// People working together inside an organization.
    TeamId = "team";
    /// A person.
    UserId = "usr";
    /// A user in a team, with a role.
    MembershipId = "mem";
    /// A browser that is logged in.
    SessionId = "ses";
    /// A source, its transform steps and its stored records.
    PipelineId = "pip";
    /// One poll, or one webhook batch, that went through a pipeline.
    RunId = "run";
    /// Names a record that a pipeline could not handle.
    FailureId = "fail";
    /// A record, and what a pipeline's transform has to make of it.
    TransformTestId = "tst";
    /// A grid of widgets.
    DashboardId = "dsh";
    /// One visualization on a dashboard.
    WidgetId = "wdg";
    /// A file that was handed over to a pipeline.
    UploadId = "upl";
    /// Where a pipeline's records are sent on to.
    SinkId = "snk";
    /// One message to a sink's target.
    DeliveryId = "dlv";
    /// One piece of durable work.
    JobId = "job";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text() {
        for _ in 0..1_000 {
            let id = PipelineId::new();
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        let last = PipelineId::from_uuid(Uuid::max());
        assert_eq!(last.to_string().parse(), Ok(last));
    }

    #[test]
    fn text_that_is_no_id_of_this_kind_is_refused() {
        let run = RunId::new().to_string();
        for text in [
            "",
            "pip_",
            "pip_zz",
            &run,
            "pip_8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "pip_é",
        ] {
            assert!(text.parse::<PipelineId>().is_err(), "{text}");
        }
    }

    #[test]
    fn ids_sort_by_when_they_were_made() {
        let ids: Vec<_> = (0..100).map(|_| PipelineId::new().to_string()).collect();
        assert!(ids.is_sorted());
    }
}
