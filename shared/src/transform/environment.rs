//! What a transform needs from outside. The host gives it; a preview has next to nothing.

use std::sync::Arc;

use crate::fields::{FieldPath, Fields};
use crate::ids::PipelineId;

/// What a transform needs from outside.
pub trait Environment {
    /// This moment, in milliseconds since 1970.
    fn now_ms(&self) -> i64;

    /// The secret that hashes are keyed with: the same for all of a team, and nobody else's.
    fn salt(&self) -> &[u8];

    /// The latest record of another pipeline of the team whose field has this value, as text.
    fn latest(
        &self,
        pipeline: PipelineId,
        field: &FieldPath,
        value: &str,
    ) -> Result<Option<Arc<Fields>>, Unavailable>;

    /// How far a zone like `Europe/Berlin` is ahead of UTC when its clocks show this time, in
    /// milliseconds; none when there is no such zone.
    fn zone_offset_ms(&self, zone: &str, local_ms: i64) -> Option<i64>;
}

/// What cannot be known here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

/// The surroundings of a preview: the moment, and nothing else. Hashes are like the real ones, but
/// not the same; other pipelines' records and zones by name are only known on the server.
#[derive(Clone, Copy, Debug)]
pub struct Preview {
    /// The moment that it is for.
    pub now_ms: i64,
}

impl Environment for Preview {
    fn now_ms(&self) -> i64 {
        self.now_ms
    }

    fn salt(&self) -> &[u8] {
        b"preview"
    }

    fn latest(
        &self,
        _pipeline: PipelineId,
        _field: &FieldPath,
        _value: &str,
    ) -> Result<Option<Arc<Fields>>, Unavailable> {
        let message = "the other pipeline's records are only known on the server";
        Err(Unavailable(message.to_owned()))
    }

    fn zone_offset_ms(&self, _zone: &str, _local_ms: i64) -> Option<i64> {
        None
    }
}
