//! Following what becomes of a sink's deliveries: those of this process as they are, those of others
//! read from the database.

use std::sync::Arc;

use dash_shared::ids::SinkId;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::{Delivery, Sinks, SinksError};
use crate::accounts::TenantScope;
use crate::events::Event;

/// The deliveries of a sink, each whenever it was tried.
#[derive(Debug)]
pub struct FollowedDeliveries {
    sinks: Sinks,
    sink_id: SinkId,
    here: broadcast::Receiver<Arc<Delivery>>,
    elsewhere: broadcast::Receiver<Event>,
}

impl Sinks {
    /// Follows what becomes of a sink's deliveries from now on.
    pub async fn follow(
        &self,
        scope: &TenantScope,
        id: SinkId,
    ) -> Result<FollowedDeliveries, SinksError> {
        let (here, elsewhere) = (self.told.subscribe(), self.events.follow_deliveries());
        self.get(scope, id).await?;
        Ok(FollowedDeliveries {
            sinks: self.clone(),
            sink_id: id,
            here,
            elsewhere,
        })
    }
}

impl FollowedDeliveries {
    /// The next delivery that was tried. What is missed by a follower that is too slow is in the log.
    pub async fn next(&mut self) -> Option<Arc<Delivery>> {
        loop {
            tokio::select! {
                delivery = self.here.recv() => match delivery {
                    Ok(delivery) if delivery.sink_id == self.sink_id => return Some(delivery),
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                },
                event = self.elsewhere.recv() => match event {
                    Ok(Event::Delivery(sink_id, id)) if sink_id == self.sink_id => {
                        let values = vec![id.uuid().into()];
                        match self.sinks.first_delivery("id = $1", values).await {
                            Ok(Some(delivery)) => return Some(Arc::new(delivery)),
                            Ok(None) => {}
                            Err(error) => {
                                tracing::warn!(%error, "a delivery of another process cannot be read");
                            }
                        }
                    }
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }
}
