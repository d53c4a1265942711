//! What subscriptions tell. Each one is executed in two parts: for every subscriber, who is checked
//! and given the events, and once for all who ask the same, from an event to its answer.
//!
//! Resolvers of subscriptions say both with [`follow`]; [`super::shared`] executes them.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::Context;
use dash_shared::ids::{PipelineId, TeamId};
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::scope;
use crate::dashboards::DashboardUpdate;
use crate::data::{Run, StoredRecord};
use crate::sinks::Delivery;

/// Something that happened. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A dashboard shows something else.
    Dashboard(Arc<DashboardUpdate>),
    /// Records were stored, at least one.
    Records(PipelineId, Arc<[StoredRecord]>),
    /// Records could not be read.
    Unreadable,
    /// A run ended.
    Run(Arc<Run>),
    /// A delivery was tried.
    Delivery(Arc<Delivery>),
}

impl Event {
    /// Whether it is the very same event: then its answer is the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Dashboard(this), Self::Dashboard(other)) => Arc::ptr_eq(this, other),
            (Self::Run(this), Self::Run(other)) => this.id == other.id,
            (Self::Delivery(this), Self::Delivery(other)) => this == other,
            // Records never change. Some between may have been deleted: then there are fewer.
            (Self::Records(this, records), Self::Records(other, others)) => {
                this == other && extent(records) == extent(others)
            }
            _ => false,
        }
    }
}

fn extent(records: &[StoredRecord]) -> (Option<i64>, Option<i64>, usize) {
    let seq = |record: &StoredRecord| record.seq;
    let (first, last) = (records.first(), records.last());
    (first.map(seq), last.map(seq), records.len())
}

/// The events that a subscriber may see, one after the other.
pub(super) type Events = BoxStream<'static, Event>;

/// Events, and the team that they are of.
pub(super) struct Source {
    pub(super) team_id: TeamId,
    pub(super) events: Events,
}

/// Which part of a subscription is executed; a request for one carries it among its data.
pub(super) enum Part {
    /// Whether the caller may subscribe, and to which events: they are put here.
    Source(Arc<Mutex<Option<Source>>>),
    /// The answers to the events that come from here. There is no caller.
    Answers(Mutex<Option<mpsc::Receiver<Event>>>),
}

/// Executes the part of a subscription that is asked for: `source` checks the caller and finds the
/// events, `answer` makes an answer of one and knows nothing else.
pub(super) async fn follow<T: Send + 'static>(
    ctx: &Context<'_>,
    source: impl Future<Output = async_graphql::Result<Events>> + Send,
    answer: fn(Event) -> Option<T>,
) -> async_graphql::Result<BoxStream<'static, T>> {
    match ctx.data::<Part>()? {
        Part::Source(found) => {
            let team_id = scope(ctx)?.team_id();
            let events = source.await?;
            let source = Source { team_id, events };
            *found.lock().unwrap_or_else(PoisonError::into_inner) = Some(source);
            Ok(stream::empty().boxed())
        }
        Part::Answers(events) => {
            let events = events
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take()
                .ok_or("A subscription asks for one field.")?;
            let events = stream::unfold(events, async |mut events| {
                Some((events.recv().await?, events))
            });
            Ok(events
                .filter_map(move |event| std::future::ready(answer(event)))
                .boxed())
        }
    }
}

/// Lets events that are read from the database come about in a task of their own, one ahead:
/// whoever waits for a slow socket must not hold a connection to the database meanwhile.
pub(super) fn ahead(events: impl Stream<Item = Event> + Send + 'static) -> Events {
    let (sender, receiver) = mpsc::channel(1);
    let task = AbortOnDropHandle::new(tokio::spawn(async move {
        let mut events = std::pin::pin!(events);
        while let Some(event) = events.next().await {
            if sender.send(event).await.is_err() {
                return;
            }
        }
    }));
    stream::unfold((receiver, task), async |(mut receiver, task)| {
        Some((receiver.recv().await?, (receiver, task)))
    })
    .boxed()
}
