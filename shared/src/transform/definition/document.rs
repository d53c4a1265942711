//! A transform as a document: how it is written, and the forms in which it is read.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Definition, Step};

/// The version that is written.
pub const VERSION: u32 = 1;

impl From<Vec<Step>> for Definition {
    fn from(steps: Vec<Step>) -> Self {
        Self { steps }
    }
}

impl Serialize for Definition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("Definition", 2)?;
        document.serialize_field("version", &VERSION)?;
        document.serialize_field("steps", &self.steps)?;
        document.end()
    }
}

impl<'de> Deserialize<'de> for Definition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyForm)
    }
}

/// Reads a document, or the bare list of steps that came before it.
struct AnyForm;

#[derive(Deserialize)]
struct Document {
    version: u32,
    steps: Vec<Step>,
}

impl<'de> Visitor<'de> for AnyForm {
    type Value = Definition;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a transform: {\"version\": 1, \"steps\": […]}")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, steps: A) -> Result<Definition, A::Error> {
        let steps = Vec::deserialize(SeqAccessDeserializer::new(steps))?;
        Ok(Definition { steps })
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Definition, A::Error> {
        let document = Document::deserialize(MapAccessDeserializer::new(fields))?;
        if document.version != VERSION {
            let version = document.version;
            return Err(A::Error::custom(format!(
                "this is version {version} of a transform, and only {VERSION} is known"
            )));
        }
        Ok(Definition {
            steps: document.steps,
        })
    }
}
