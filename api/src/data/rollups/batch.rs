//! Counting some records for a view in memory, before anything is written: units of all levels with
//! their groups.

use std::collections::BTreeMap;

use super::{Cell, Definition, Group, Level, StoredRecord};
use crate::data::cells::Groups;

/// The units of one level, by where they begin.
pub(super) type Units = BTreeMap<i64, Groups>;

/// What some records add to a view.
#[derive(Debug)]
pub(super) struct Batch {
    /// The units of each level, in the order of [`Level::ALL`].
    pub(super) levels: [Units; 3],
}

impl Batch {
    /// Counts records: each once, into its minute; hours and days are made of those.
    pub(super) fn count<'a>(
        definition: &Definition,
        records: impl Iterator<Item = &'a StoredRecord>,
    ) -> Self {
        let mut minutes = Units::new();
        for record in records {
            let unit = minutes
                .entry(Level::Minute.start_of(record.time_ms))
                .or_default();
            let group = Group::of(record, definition.group_by.as_ref());
            unit.entry(group).or_default().add(record, &definition.part);
        }
        let hours = coarser(Level::Hour, &minutes);
        let days = coarser(Level::Day, &hours);
        Self {
            levels: [minutes, hours, days],
        }
    }
}

fn coarser(level: Level, finer: &Units) -> Units {
    let mut units = Units::new();
    for (start, groups) in finer {
        merge(
            units.entry(level.start_of(*start)).or_default(),
            groups.iter().map(|(group, cell)| (group.clone(), cell)),
        );
    }
    units
}

/// Adds the cells of some groups.
pub(super) fn merge<'a>(groups: &mut Groups, others: impl IntoIterator<Item = (Group, &'a Cell)>) {
    for (group, cell) in others {
        groups.entry(group).or_default().merge(cell);
    }
}
