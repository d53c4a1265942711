//! The one table of plans and limits: enforcement, the client's texts and the docs read it.

use crate::sinks::SinkKind;
use crate::{Invalid, InvalidCode};

/// A plan an organization can be on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plan {
    /// Starter, for nothing.
    Free,
    /// Professional.
    Pro,
    /// Team.
    Business,
    /// Custom.
    Enterprise,
}

/// What a plan allows. `None` is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Pipelines in the organization.
    pub pipelines: Option<u32>,
    /// Dashboards in the organization.
    pub dashboards: Option<u32>,
    /// Stored records per month; one record is one data point.
    pub points_per_month: Option<u32>,
    /// How long records are kept.
    pub retention_days: Option<u32>,
    /// The shortest time between two polls of one pipeline.
    pub shortest_polling_interval_seconds: u32,
    /// Whether transforms may have scripts, windows, lookups and joins.
    pub advanced_steps: bool,
    /// The kinds of sinks that records are sent on to.
    pub sinks: &'static [SinkKind],
    /// How fast one webhook takes deliveries in.
    pub webhook_rate: WebhookRate,
}

/// How fast deliveries may come, whatever each of them holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookRate {
    /// As many come in every second, on and on.
    pub per_second: u32,
    /// As many may come at once, after a pause.
    pub burst: u32,
}

impl WebhookRate {
    const fn new(per_second: u32, burst: u32) -> Self {
        Self { per_second, burst }
    }
}

/// Every new organization gets this many days of [`Plan::Pro`], once.
pub const TRIAL_DAYS: u32 = 14;

impl Plan {
    /// All plans, the smallest first.
    pub const ALL: [Self; 4] = [Self::Free, Self::Pro, Self::Business, Self::Enterprise];

    /// The word in the database and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Pro => "pro",
            Self::Business => "business",
            Self::Enterprise => "enterprise",
        }
    }

    /// The name that people see.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "Free",
            Self::Pro => "Pro",
            Self::Business => "Business",
            Self::Enterprise => "Enterprise",
        }
    }

    /// The plan with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plan| plan.as_str() == word)
    }

    /// What the plan allows.
    pub const fn limits(self) -> Limits {
        match self {
            Self::Free => Limits {
                pipelines: Some(3),
                dashboards: Some(3),
                points_per_month: Some(10_000),
                retention_days: Some(7),
                shortest_polling_interval_seconds: 15 * 60,
                advanced_steps: false,
                webhook_rate: WebhookRate::new(5, 50),
                sinks: &[],
            },
            Self::Pro => Limits {
                pipelines: Some(25),
                dashboards: Some(15),
                points_per_month: Some(1_000_000),
                retention_days: Some(30),
                shortest_polling_interval_seconds: 60,
                advanced_steps: false,
                webhook_rate: WebhookRate::new(50, 500),
                sinks: &[SinkKind::Http, SinkKind::Webhook, SinkKind::Email],
            },
            Self::Business => Limits {
                pipelines: Some(100),
                dashboards: None,
                points_per_month: Some(10_000_000),
                retention_days: Some(90),
                shortest_polling_interval_seconds: 10,
                advanced_steps: true,
                webhook_rate: WebhookRate::new(500, 5_000),
                sinks: &SinkKind::ALL,
            },
            Self::Enterprise => Limits {
                pipelines: None,
                dashboards: None,
                points_per_month: None,
                retention_days: None,
                shortest_polling_interval_seconds: 1,
                advanced_steps: true,
                webhook_rate: WebhookRate::new(5_000, 100_000),
                sinks: &SinkKind::ALL,
            },
        }
    }

    /// The plan whose limits hold: [`Plan::Pro`] at least while a trial of it runs.
    #[must_use]
    pub fn during(self, trial_ends_at_ms: Option<i64>, now_ms: i64) -> Self {
        if trial_ends_at_ms.is_some_and(|ends_at_ms| now_ms < ends_at_ms) {
            self.max(Self::Pro)
        } else {
            self
        }
    }

    /// Checks a polling interval against the plan; the message names the plan that allows it.
    pub fn check_polling_interval(self, interval_seconds: u32) -> Result<(), Invalid> {
        let shortest = self.limits().shortest_polling_interval_seconds;
        if interval_seconds >= shortest {
            return Ok(());
        }
        let allowing = Self::ALL
            .into_iter()
            .find(|plan| plan.limits().shortest_polling_interval_seconds <= interval_seconds);
        let lift = allowing.map_or_else(String::new, |plan| {
            format!(
                " {} polls every {}.",
                plan.name(),
                duration_text(interval_seconds)
            )
        });
        Err(Invalid::new(
            "intervalSeconds",
            InvalidCode::PlanRequired,
            format!(
                "The {} plan polls at most every {}.{lift}",
                self.name(),
                duration_text(shortest)
            ),
        ))
    }
}

impl Plan {
    /// Checks that the plan has scripts, windows, lookups and joins; the message names the plan that
    /// has them.
    pub fn check_advanced_steps(self) -> Result<(), Invalid> {
        if self.limits().advanced_steps {
            return Ok(());
        }
        let with = Self::ALL
            .into_iter()
            .find(|plan| plan.limits().advanced_steps);
        let lift = with.map_or("another plan", Self::name);
        Err(Invalid::new(
            "kind",
            InvalidCode::PlanRequired,
            format!(
                "Scripts, windows, lookups and joins are not in the {} plan. Upgrade to {lift}.",
                self.name()
            ),
        ))
    }

    /// How many days a pipeline keeps its records that is set to `chosen` days, if to any; `None`
    /// is for good.
    pub fn retention_of(self, chosen: Option<u32>) -> Option<u32> {
        match (self.limits().retention_days, chosen) {
            (Some(allowed), Some(chosen)) => Some(allowed.min(chosen)),
            (allowed, chosen) => allowed.or(chosen),
        }
    }

    /// Checks a pipeline's own retention against the plan; the message names the plan that allows
    /// it.
    pub fn check_retention(self, days: i32) -> Result<(), Invalid> {
        let Some(days) = u32::try_from(days).ok().filter(|days| *days > 0) else {
            return Err(Invalid::new(
                "retentionDays",
                InvalidCode::TooShort,
                "Records are kept for at least a day.",
            ));
        };
        let allows = |plan: Self| plan.limits().retention_days.is_none_or(|most| days <= most);
        if allows(self) {
            return Ok(());
        }
        let lift = Self::ALL.into_iter().find(|plan| allows(*plan));
        let lift = lift.map_or_else(String::new, |plan| match plan.limits().retention_days {
            Some(most) => format!(" {} keeps them for {most} days.", plan.name()),
            None => format!(" {} keeps them for as long as you want.", plan.name()),
        });
        let most = self.limits().retention_days.unwrap_or(u32::MAX);
        Err(Invalid::new(
            "retentionDays",
            InvalidCode::PlanRequired,
            format!(
                "The {} plan keeps records for {most} days.{lift}",
                self.name()
            ),
        ))
    }
}

impl Plan {
    /// The smallest plan that has a kind of sink.
    pub fn with_sink(kind: SinkKind) -> Option<Self> {
        let mut plans = Self::ALL.into_iter();
        plans.find(|plan| plan.limits().sinks.contains(&kind))
    }

    /// Checks a kind of sink against the plan; the message names the plan that has it.
    pub fn check_sink(self, kind: SinkKind) -> Result<(), Invalid> {
        let sinks = self.limits().sinks;
        if sinks.contains(&kind) {
            return Ok(());
        }
        let lift = Self::with_sink(kind).map(|plan| match sinks {
            [] => {
                let names: Vec<_> = plan.limits().sinks.iter().map(|kind| kind.name()).collect();
                let (last, first) = names.split_last().unwrap_or((&"", &[]));
                format!(
                    " {} has {} and {last} sinks.",
                    plan.name(),
                    first.join(", ")
                )
            }
            _ => format!(" {} has them.", plan.name()),
        });
        let what = if sinks.is_empty() {
            String::new()
        } else {
            format!("{} ", kind.name())
        };
        Err(Invalid::new(
            "target",
            InvalidCode::PlanRequired,
            format!(
                "The {} plan has no {what}sinks.{}",
                self.name(),
                lift.unwrap_or_default()
            ),
        ))
    }
}

/// A duration as people say it: `15 min`, `10 s`, `2 h`.
pub fn duration_text(seconds: u32) -> String {
    match seconds {
        s if s >= 86_400 && s % 86_400 == 0 => format!("{} d", s / 86_400),
        s if s >= 3_600 && s % 3_600 == 0 => format!("{} h", s / 3_600),
        s if s >= 60 && s % 60 == 0 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bigger_plan_never_allows_less() {
        let at_least = |a: Option<u32>, b: Option<u32>| b.is_none_or(|b| a.is_some_and(|a| a <= b));
        for pair in Plan::ALL.windows(2) {
            let (small, big) = (pair[0].limits(), pair[1].limits());
            assert!(at_least(small.pipelines, big.pipelines));
            assert!(at_least(small.dashboards, big.dashboards));
            assert!(at_least(small.points_per_month, big.points_per_month));
            assert!(at_least(small.retention_days, big.retention_days));
            assert!(small.webhook_rate.per_second <= big.webhook_rate.per_second);
            assert!(small.webhook_rate.burst <= big.webhook_rate.burst);
            assert!(
                small.shortest_polling_interval_seconds >= big.shortest_polling_interval_seconds
            );
            assert!(small.sinks.iter().all(|kind| big.sinks.contains(kind)));
        }
    }

    #[test]
    fn a_too_short_interval_names_the_plan_that_allows_it() {
        assert_eq!(Plan::Pro.check_polling_interval(60), Ok(()));
        let error = Plan::Pro.check_polling_interval(10).unwrap_err();
        assert_eq!(
            error.message,
            "The Pro plan polls at most every 1 min. Business polls every 10 s."
        );
        assert_eq!(error.code, InvalidCode::PlanRequired);
    }
}
