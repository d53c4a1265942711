//! Aggregates and conditions on the way between the API's own types and the shared ones.

use dash_shared::queries::{Aggregate, Comparison, draft::FilterDraft};

use super::operations as op;

/// Pairs the variants of two enums that have the same ones.
macro_rules! same_variants {
    ($theirs:ty, $ours:ty, $($variant:ident),+) => {
        impl From<$ours> for $theirs {
            fn from(ours: $ours) -> Self {
                match ours {
                    $(<$ours>::$variant => Self::$variant,)+
                }
            }
        }

        impl $theirs {
            /// The same in the shared words.
            pub const fn shared(self) -> $ours {
                match self {
                    $(Self::$variant => <$ours>::$variant,)+
                }
            }
        }
    };
}

same_variants!(
    op::Aggregate,
    Aggregate,
    Count,
    Sum,
    Avg,
    Min,
    Max,
    First,
    Last,
    P50,
    P95,
    P99,
    Distinct
);
same_variants!(
    op::Comparison,
    Comparison,
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Contains,
    Exists,
    Missing
);

/// The conditions of a saved widget, ready to be changed.
pub fn drafts(filters: &[op::Filter]) -> Vec<FilterDraft> {
    let draft = |filter: &op::Filter| FilterDraft {
        field: filter.field.clone(),
        comparison: filter.comparison.shared(),
        value: filter.value.clone(),
    };
    filters.iter().map(draft).collect()
}

/// The conditions as the API takes them.
pub fn inputs(drafts: &[FilterDraft]) -> Vec<op::FilterInput> {
    let input = |draft: &FilterDraft| op::FilterInput {
        field: draft.field.clone(),
        comparison: draft.comparison.into(),
        value: draft.used_value().to_owned(),
    };
    drafts.iter().map(input).collect()
}
