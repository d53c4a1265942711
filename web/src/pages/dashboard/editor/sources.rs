//! The pipelines that a widget can show, and their fields.

use cynic::QueryBuilder;
use dash_shared::fields::{FieldType, SampledField};
use leptos::{prelude::*, task::spawn_local};

use super::super::{
    operations::{FieldsOfPipeline, WidgetSources},
    tiles,
};
use crate::api::{self, ApiError};

/// The pipelines; loaded when the editor opens.
#[derive(Clone, Copy)]
pub struct Sources {
    loaded: RwSignal<Option<Result<Vec<FieldsOfPipeline>, ApiError>>>,
}

impl Sources {
    /// No pipelines yet.
    pub fn new() -> Self {
        Self {
            loaded: RwSignal::new(None),
        }
    }

    /// Asks for the pipelines again; those that are known are shown meanwhile.
    pub fn load(self) {
        spawn_local(async move {
            let answer = api::run(<WidgetSources as QueryBuilder<()>>::build(())).await;
            let sources = answer.map(|answer| answer.pipelines.nodes);
            let keeps_old = sources.is_err()
                && self
                    .loaded
                    .try_with_untracked(|loaded| matches!(loaded, Some(Ok(_))))
                    .unwrap_or(true);
            if !keeps_old {
                self.loaded.try_set(Some(sources));
            }
        });
    }

    /// Id and name of every pipeline; tracked.
    pub fn names(self) -> Vec<(String, String)> {
        self.with(|pipelines| {
            pipelines
                .iter()
                .map(|pipeline| (pipeline.id.inner().to_owned(), pipeline.name.clone()))
                .collect()
        })
    }

    /// The id of the newest pipeline; tracked.
    pub fn first(self) -> Option<String> {
        self.with(|pipelines| {
            let first = pipelines.first();
            first.map(|pipeline| pipeline.id.inner().to_owned())
        })
    }

    /// Why the pipelines could not be loaded; tracked.
    pub fn failure(self) -> Option<String> {
        self.loaded.with(|loaded| match loaded {
            Some(Err(error)) => Some(error.message.clone()),
            _ => None,
        })
    }

    /// Whether it is known which pipelines there are; tracked.
    pub fn is_known(self) -> bool {
        self.loaded.with(|loaded| matches!(loaded, Some(Ok(_))))
    }

    /// The fields of a pipeline's records that have one of these types; tracked.
    pub fn fields(self, pipeline_id: &str, types: &[FieldType]) -> Vec<SampledField> {
        self.with(|pipelines| {
            pipelines
                .iter()
                .filter(|pipeline| pipeline.id.inner() == pipeline_id)
                .flat_map(|pipeline| &pipeline.fields)
                .filter_map(|field| {
                    let field_type = tiles::type_of(field.field_type);
                    types.contains(&field_type).then_some(SampledField {
                        path: field.path.parse().ok()?,
                        field_type,
                        example: field.example.clone(),
                    })
                })
                .collect()
        })
    }

    fn with<T: Default>(self, read: impl FnOnce(&[FieldsOfPipeline]) -> T) -> T {
        self.loaded.with(|loaded| match loaded {
            Some(Ok(pipelines)) => read(pipelines),
            _ => T::default(),
        })
    }
}
