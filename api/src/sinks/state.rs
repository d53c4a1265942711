//! The words of states and lanes in the database.

use super::{DeliveryState, DisabledReason, Lane, SinkState};

impl SinkState {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled(_) => "disabled",
        }
    }

    pub(super) const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Enabled => None,
            Self::Disabled(reason) => Some(reason.as_str()),
        }
    }

    pub(super) fn parse(word: &str, reason: Option<&str>) -> Option<Self> {
        match (word, reason) {
            ("enabled", _) => Some(Self::Enabled),
            ("disabled", reason) => Some(Self::Disabled(DisabledReason::parse(reason?)?)),
            _ => None,
        }
    }
}

impl DisabledReason {
    const ALL: [Self; 4] = [Self::ByHand, Self::Gone, Self::Failing, Self::Plan];

    const fn as_str(self) -> &'static str {
        match self {
            Self::ByHand => "by_hand",
            Self::Gone => "gone",
            Self::Failing => "failing",
            Self::Plan => "plan",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

impl Lane {
    const ALL: [Self; 3] = [Self::Live, Self::Replay, Self::Test];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Replay => "replay",
            Self::Test => "test",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.as_str() == word)
    }
}

impl DeliveryState {
    const ALL: [Self; 5] = [
        Self::Pending,
        Self::Delivered,
        Self::Failed,
        Self::Dead,
        Self::Skipped,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dead => "dead",
            Self::Skipped => "skipped",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}
