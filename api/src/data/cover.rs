//! The planner: which roll-ups, and which records themselves, make up a row of buckets. Each bucket
//! is covered by the coarsest units that lie wholly inside it; ragged ends are left to finer ones,
//! and what is less than a minute to the records.

/// The levels of roll-ups, the finest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Level {
    Minute,
    Hour,
    Day,
}

impl Level {
    /// All levels, the finest first.
    pub(super) const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// The number in the database.
    pub(super) const fn number(self) -> i16 {
        match self {
            Self::Minute => 0,
            Self::Hour => 1,
            Self::Day => 2,
        }
    }

    /// How wide its units are; they begin at multiples of it in UTC.
    pub(super) const fn width_ms(self) -> i64 {
        match self {
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }

    /// The level below.
    pub(super) const fn finer(self) -> Option<Self> {
        match self {
            Self::Minute => None,
            Self::Hour => Some(Self::Minute),
            Self::Day => Some(Self::Hour),
        }
    }

    /// The start of the unit that a time falls into.
    pub(super) const fn start_of(self, time_ms: i64) -> i64 {
        time_ms.div_euclid(self.width_ms()) * self.width_ms()
    }
}

/// A span of time: the first millisecond in it, and the first after it.
pub type Span = (i64, i64);

/// Spans that are read from one level each, or from the records. In the order of time, joined where
/// they touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cover {
    /// Read from roll-ups.
    pub(super) units: Vec<(Level, Span)>,
    /// Read from the records.
    pub(super) raw: Vec<Span>,
}

impl Cover {
    /// Covers the buckets that begin at `starts` and end where the next one begins, the last one at
    /// `end_ms`.
    pub(super) fn of(starts: &[i64], end_ms: i64) -> Self {
        let mut cover = Self::default();
        let ends = starts.iter().skip(1).copied().chain([end_ms]);
        for (start, end) in starts.iter().copied().zip(ends) {
            cover.add(Some(Level::Day), (start, end));
        }
        cover
    }

    /// Covers a span by units of the level at most.
    pub(super) fn add(&mut self, level: Option<Level>, (from_ms, to_ms): Span) {
        if from_ms >= to_ms {
            return;
        }
        let Some(level) = level else {
            match self.raw.last_mut() {
                Some(last) if last.1 == from_ms => last.1 = to_ms,
                _ => self.raw.push((from_ms, to_ms)),
            }
            return;
        };
        let (first, end) = (
            level.start_of(from_ms.saturating_add(level.width_ms() - 1)),
            level.start_of(to_ms),
        );
        if first >= end {
            self.add(level.finer(), (from_ms, to_ms));
            return;
        }
        self.add(level.finer(), (from_ms, first));
        match self.units.last_mut() {
            Some((last_level, last)) if *last_level == level && last.1 == first => last.1 = end,
            _ => self.units.push((level, (first, end))),
        }
        self.add(level.finer(), (end, to_ms));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;

    #[test]
    fn ragged_ends_are_left_to_finer_levels() {
        let cover = Cover::of(&[DAY - HOUR - MINUTE - 1], 3 * DAY + 5);
        assert_eq!(
            cover.units,
            [
                (Level::Minute, (DAY - HOUR - MINUTE, DAY - HOUR)),
                (Level::Hour, (DAY - HOUR, DAY)),
                (Level::Day, (DAY, 3 * DAY)),
            ]
        );
        let start = DAY - HOUR - MINUTE - 1;
        assert_eq!(cover.raw, [(start, start + 1), (3 * DAY, 3 * DAY + 5)]);
    }

    #[test]
    fn buckets_of_an_hour_are_one_span_of_hours() {
        let starts: Vec<_> = (0..48).map(|hour| hour * HOUR).collect();
        let cover = Cover::of(&starts, 48 * HOUR);
        assert_eq!(cover.units, [(Level::Hour, (0, 48 * HOUR))]);
        assert_eq!(cover.raw, []);
    }

    proptest! {
        #[test]
        fn every_millisecond_is_covered_once_and_no_unit_crosses_an_edge(
            mut edges in prop::collection::vec(-3 * DAY..3 * DAY, 2..12),
            round in prop::sample::select(vec![1, 1_000, MINUTE, 30 * MINUTE, HOUR, DAY]),
        ) {
            for edge in &mut edges {
                *edge = edge.div_euclid(round) * round;
            }
            edges.sort_unstable();
            edges.dedup();
            prop_assume!(edges.len() > 1);
            let end = edges.pop().unwrap();
            let cover = Cover::of(&edges, end);
            let mut spans: Vec<Span> = cover.raw.clone();
            for (level, span) in &cover.units {
                prop_assert_eq!(span.0 % level.width_ms(), 0);
                prop_assert_eq!(span.1 % level.width_ms(), 0);
                for edge in &edges {
                    prop_assert!(
                        *edge <= span.0 || *edge >= span.1 || edge % level.width_ms() == 0
                    );
                }
                spans.push(*span);
            }
            spans.sort_unstable();
            prop_assert_eq!(spans[0].0, edges[0]);
            prop_assert_eq!(spans.last().unwrap().1, end);
            for pair in spans.windows(2) {
                prop_assert_eq!(pair[0].1, pair[1].0);
            }
        }
    }
}
