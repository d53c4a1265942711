//! Counts what goes through the engine, for the operator.

use std::fmt;

use metrics::Counter;

/// Counts records. Kept, since looking a metric up takes longer than counting.
#[derive(Clone)]
pub(super) struct Meters {
    pub(super) received: Counter,
    pub(super) stored: Counter,
    pub(super) failed: Counter,
    pub(super) duplicate: Counter,
    pub(super) unchanged: Counter,
}

impl Meters {
    pub(super) fn new() -> Self {
        Self {
            received: metrics::counter!("dash_records_received_total"),
            stored: metrics::counter!("dash_records_stored_total"),
            failed: metrics::counter!("dash_records_failed_total"),
            duplicate: metrics::counter!("dash_records_duplicate_total"),
            unchanged: metrics::counter!("dash_polls_unchanged_total"),
        }
    }
}

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meters").finish_non_exhaustive()
    }
}
