//! What a transform is given from outside while it runs on the server: the moment, the team's salt,
//! other pipelines' latest records and the time zones.

use std::sync::Arc;

use chrono::{DateTime, Offset as _, TimeZone as _};
use chrono_tz::Tz;
use dash_shared::fields::{FieldPath, Fields};
use dash_shared::ids::{PipelineId, TeamId};
use dash_shared::transform::{Environment, Transform, Unavailable};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::Engine;
use super::joins::Latest;
use crate::data::ReadError;

/// The surroundings of one batch.
pub(super) struct Surroundings {
    now_ms: i64,
    salt: [u8; 32],
    joined: Vec<(PipelineId, FieldPath, Arc<Latest>)>,
}

impl Surroundings {
    pub(super) const fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// Makes it another moment.
    pub(super) const fn set_now(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
    }
}

impl Engine {
    /// Gets ready what a team's transform will ask for.
    pub(super) async fn surroundings(
        &self,
        team_id: TeamId,
        transform: &Transform,
    ) -> Result<Surroundings, ReadError> {
        let mut joined = Vec::new();
        for join in transform.joins() {
            let latest = self
                .joins
                .latest(&self.store, join.pipeline, &join.matches)
                .await?;
            joined.push((join.pipeline, join.matches.clone(), latest));
        }
        Ok(Surroundings {
            now_ms: self.clock.now_ms(),
            salt: salt_of(&self.salt_key, team_id),
            joined,
        })
    }
}

/// A secret of the team's own: hashes of two teams cannot be compared.
fn salt_of(key: &[u8], team_id: TeamId) -> [u8; 32] {
    // A key of any length is taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return [0; 32];
    };
    mac.update(b"transform salt");
    mac.update(team_id.uuid().as_bytes());
    mac.finalize().into_bytes().into()
}

impl Environment for Surroundings {
    fn now_ms(&self) -> i64 {
        self.now_ms
    }

    fn salt(&self) -> &[u8] {
        &self.salt
    }

    fn latest(
        &self,
        pipeline: PipelineId,
        field: &FieldPath,
        value: &str,
    ) -> Result<Option<Arc<Fields>>, Unavailable> {
        self.joined
            .iter()
            .find(|(id, by, _)| *id == pipeline && by == field)
            .map(|(_, _, latest)| latest.get(value))
            .ok_or_else(|| Unavailable("the other pipeline's records cannot be read".to_owned()))
    }

    fn zone_offset_ms(&self, zone: &str, local_ms: i64) -> Option<i64> {
        let zone: Tz = zone.parse().ok()?;
        let local = DateTime::from_timestamp_millis(local_ms)?.naive_utc();
        // A time that is there twice is the first one; one that is left out is read as if clocks had
        // not been put forward yet.
        let offset = match zone.offset_from_local_datetime(&local) {
            chrono::MappedLocalTime::Single(offset) => offset,
            chrono::MappedLocalTime::Ambiguous(first, _) => first,
            chrono::MappedLocalTime::None => {
                zone.offset_from_utc_datetime(&(local - chrono::TimeDelta::hours(3)))
            }
        };
        Some(i64::from(offset.fix().local_minus_utc()) * 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_those_of_the_day() {
        let surroundings = Surroundings {
            now_ms: 0,
            salt: [0; 32],
            joined: Vec::new(),
        };
        let check = |zone: &str, local: &str, hours: Option<i64>| {
            let local_ms = DateTime::parse_from_rfc3339(local)
                .unwrap()
                .timestamp_millis();
            let offset = surroundings.zone_offset_ms(zone, local_ms);
            assert_eq!(
                offset,
                hours.map(|hours| hours * 3_600_000),
                "{zone} {local}"
            );
        };
        check("Europe/Berlin", "2026-01-05T12:00:00Z", Some(1));
        check("Europe/Berlin", "2026-07-05T12:00:00Z", Some(2));
        check("Europe/Berlin", "2026-10-25T02:30:00Z", Some(2));
        check("Europe/Berlin", "2026-03-29T02:30:00Z", Some(1));
        check("America/New_York", "2026-01-05T12:00:00Z", Some(-5));
        check("Nowhere/Else", "2026-01-05T12:00:00Z", None);
    }

    #[test]
    fn teams_have_salts_of_their_own() {
        let (a, b) = (TeamId::new(), TeamId::new());
        assert_eq!(salt_of(b"key", a), salt_of(b"key", a));
        assert_ne!(salt_of(b"key", a), salt_of(b"key", b));
        assert_ne!(salt_of(b"key", a), salt_of(b"other", a));
    }
}
