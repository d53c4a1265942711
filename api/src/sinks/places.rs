//! How many requests are under way at once: in all, and to one host. Who waits for a slow host holds
//! no place that another one could use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many requests a process sends at once.
const PLACES: usize = 64;
/// How many of them to one host.
const PLACES_OF_HOST: usize = 8;
/// From how many hosts on those that nobody asks are forgotten.
const SWEPT_HOSTS: usize = 1_024;

/// The places. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Places {
    all: Arc<Semaphore>,
    hosts: Arc<Mutex<HashMap<String, Arc<Semaphore>>>>,
}

/// A place; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _host: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(PLACES)),
            hosts: Arc::default(),
        }
    }
}

impl Places {
    /// Waits for a place to ask a host. None when there never will be one.
    pub(super) async fn take(&self, host: &str) -> Option<Place> {
        let host = self.host(host);
        // First the host's: who waits for it must not hold one of all.
        let host = host.acquire_owned().await.ok()?;
        let all = Arc::clone(&self.all).acquire_owned().await.ok()?;
        Some(Place {
            _host: host,
            _all: all,
        })
    }

    fn host(&self, host: &str) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= SWEPT_HOSTS {
            hosts.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
        }
        let new = || Arc::new(Semaphore::new(PLACES_OF_HOST));
        Arc::clone(hosts.entry(host.to_owned()).or_insert_with(new))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_host_that_is_busy_holds_nobody_else_up() {
        let places = Places::default();
        let mut held = Vec::new();
        for _ in 0..PLACES_OF_HOST {
            held.push(places.take("slow").now_or_never().flatten().unwrap());
        }
        let mut waiting: Vec<_> = (0..1_000).map(|_| Box::pin(places.take("slow"))).collect();
        for wait in &mut waiting {
            assert!(wait.as_mut().now_or_never().is_none());
        }
        assert!(places.take("quick").now_or_never().flatten().is_some());
        held.pop();
        assert!(waiting[0].as_mut().now_or_never().flatten().is_some());
    }

    #[tokio::test]
    async fn hosts_that_nobody_asks_are_forgotten() {
        let places = Places::default();
        for n in 0..10 * SWEPT_HOSTS {
            places.take(&n.to_string()).await.unwrap();
        }
        assert!(places.hosts.lock().unwrap().len() <= SWEPT_HOSTS);
    }
}
