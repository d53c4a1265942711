//! What steps are changed with, as the tab knows it: functions that are fetched when it is open.
//! What they are is named nowhere else (`bench_tools`), or they would be fetched with the tab.

use leptos::prelude::*;

use super::desk::Desk;
use super::sample::Sample;
use crate::parts::{self, set::PartSet};

/// The functions.
#[derive(Clone, Copy)]
pub struct Bench {
    /// The form of a step.
    pub form: fn(Desk, u32) -> AnyView,
    /// Asks for the kind of a new step.
    pub picker: fn(Desk, RwSignal<bool>) -> AnyView,
    /// The whole transform as JSON.
    pub json: fn(Desk, RwSignal<bool>) -> AnyView,
    /// Asks for another record.
    pub paste: fn(Sample, RwSignal<bool>) -> AnyView,
    /// Adds the mapping that suits the records, and the time that it finds.
    pub suggest: fn(Desk),
}

/// Has the functions, or gets them.
pub type Benches = PartSet<Bench>;

/// None yet; what is done with them is done for the current owner.
pub fn benches() -> Benches {
    PartSet::new(parts::bench)
}
