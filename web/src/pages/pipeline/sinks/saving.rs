//! Making and changing a sink through the API, and showing at the form what it refuses.

use cynic::MutationBuilder;
use leptos::prelude::*;

use super::changes::{
    CreateSink, CreateSinkInput, CreateSinkVariables, UpdateSink, UpdateSinkInput,
    UpdateSinkVariables,
};
use super::draft::Draft;
use super::operations::{Sink, SinkKind};
use crate::api::{self, ApiError, FormErrors, UserError};

/// What came of saving.
pub enum Outcome {
    /// A new sink; with the signing secret of a webhook.
    Made(Sink, Option<String>),
    /// One that was there.
    Changed(Sink),
    /// What to fix.
    Refused(Vec<UserError>),
    /// It could not be asked.
    Failed(ApiError),
}

/// Saves what is filled in: a change of the sink `changed`, or a new one.
pub async fn save(draft: &Draft, pipeline_id: cynic::Id, changed: Option<cynic::Id>) -> Outcome {
    let (name, kind) = untrack(|| (draft.name.get(), draft.kind.get()));
    let name = if name.trim().is_empty() {
        kind.name().to_owned()
    } else {
        name
    };
    let (target, filter) = untrack(|| (draft.target(), draft.filter()));
    let answer = if let Some(id) = changed {
        let input = UpdateSinkInput {
            id,
            name: Some(name),
            target: Some(target),
            filter,
        };
        let variables = UpdateSinkVariables { input };
        let answer = api::run(UpdateSink::build(variables)).await;
        answer.map(|answer| {
            let payload = answer.update_sink;
            (payload.sink.map(Outcome::Changed), payload.user_errors)
        })
    } else {
        let input = CreateSinkInput {
            pipeline_id,
            name,
            target,
            filter,
        };
        let variables = CreateSinkVariables { input };
        let answer = api::run(CreateSink::build(variables)).await;
        answer.map(|answer| {
            let payload = answer.create_sink;
            let secret = payload.signing_secret;
            let made = payload.sink.map(|sink| Outcome::Made(sink, secret));
            (made, payload.user_errors)
        })
    };
    match answer {
        Ok((Some(saved), _)) => saved,
        Ok((None, errors)) => Outcome::Refused(errors),
        Err(error) => Outcome::Failed(error),
    }
}

/// The fields that show their own errors.
pub const KNOWN: &[&str] = &[
    "name",
    "formula",
    "url",
    "batch.records",
    "batch.seconds",
    "contentType",
    "body",
    "eventType",
    "message",
    "to",
    "subject",
    "timing.quietMinutes",
    "timing.minutes",
    "timing.atHour",
];

/// Shows errors at the fields of the form, whose paths are shorter than those of the API.
pub fn show_errors(errors: FormErrors, kind: SinkKind, mut found: Vec<UserError>) {
    for error in &mut found {
        let Some(path) = &mut error.field else {
            continue;
        };
        let own = ["target".to_owned(), kind.word().to_owned()];
        if let Some(short) = path.strip_prefix(own.as_slice()) {
            *path = short.to_vec();
        }
        match path.first().map(String::as_str) {
            Some("filter") => *path = vec!["formula".to_owned()],
            // One of the recipients.
            Some("to") => path.truncate(1),
            _ => {}
        }
    }
    errors.set_user_errors(&found);
}
