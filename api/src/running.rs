//! What runs once for all who want the same: the first one starts it, the others join, and it ends
//! with the last one who holds it. Feeds, followed dashboards and subscriptions run like that.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::hash::Hash;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio_util::task::AbortOnDropHandle;

/// How many are known before those that ended are cleared away for the first time.
const FIRST_SWEEP: usize = 64;

/// Something that runs: a task, and what those who joined it see of it.
#[derive(Debug)]
pub struct Joined<T> {
    seen: T,
    task: AbortOnDropHandle<()>,
}

impl<T> Deref for Joined<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.seen
    }
}

/// All that runs, by what it runs for. Cheap to clone.
pub struct Running<K, T>(Arc<Mutex<Tasks<K, T>>>);

struct Tasks<K, T> {
    by_key: HashMap<K, Weak<Joined<T>>>,
    sweep_at: usize,
}

impl<K: Eq + Hash, T> Running<K, T> {
    /// Joins what runs for `key`, or starts it: `start` gives what is seen of it, and its work.
    pub fn join<W>(&self, key: K, start: impl FnOnce(&K) -> (T, W)) -> Arc<Joined<T>>
    where
        W: Future<Output = ()> + Send + 'static,
    {
        let Ok(joined) = self.try_join(key, |key| Ok::<_, Infallible>(start(key)));
        joined
    }

    /// The same where it may be impossible to start it.
    pub fn try_join<W, E>(
        &self,
        key: K,
        start: impl FnOnce(&K) -> Result<(T, W), E>,
    ) -> Result<Arc<Joined<T>>, E>
    where
        W: Future<Output = ()> + Send + 'static,
    {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = tasks.by_key.get(&key).and_then(Weak::upgrade);
        // One that has ended by itself may still be held by those who have not noticed.
        if let Some(running) = known.filter(|known| !known.task.is_finished()) {
            return Ok(running);
        }
        let (seen, work) = start(&key)?;
        let task = AbortOnDropHandle::new(tokio::spawn(work));
        let started = Arc::new(Joined { seen, task });
        tasks.by_key.insert(key, Arc::downgrade(&started));
        if tasks.by_key.len() >= tasks.sweep_at {
            tasks.by_key.retain(|_, task| task.strong_count() > 0);
            tasks.sweep_at = FIRST_SWEEP.max(2 * tasks.by_key.len());
        }
        Ok(started)
    }
}

impl<K, T> Default for Running<K, T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Tasks {
            by_key: HashMap::new(),
            sweep_at: FIRST_SWEEP,
        })))
    }
}

impl<K, T> Clone for Running<K, T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, T> fmt::Debug for Running<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn the_same_runs_once_and_ends_with_the_last_who_holds_it() {
        let running = Running::default();
        let (held, ended) = oneshot::channel::<()>();
        let work = async move {
            let _held = held;
            pending::<()>().await;
        };
        let first = running.join("a", |_| (1, work));
        let second = running.join("a", |_| (2, pending()));
        let other = running.join("b", |_| (3, pending()));
        assert_eq!((**first, **second, **other), (1, 1, 3));
        drop(first);
        assert_eq!(**running.join("a", |_| (4, pending())), 1);
        drop(second);
        assert!(ended.await.is_err(), "the task is stopped");
        assert_eq!(**running.join("a", |_| (5, pending())), 5);
    }

    #[tokio::test]
    async fn what_has_ended_by_itself_is_started_again() {
        let running = Running::default();
        let (end, wait) = oneshot::channel::<()>();
        let first = running.join("a", |_| (1, async move { drop(wait.await) }));
        end.send(()).unwrap();
        while !first.task.is_finished() {
            tokio::task::yield_now().await;
        }
        assert_eq!(**running.join("a", |_| (2, pending())), 2);
    }

    #[tokio::test]
    async fn what_has_ended_is_forgotten() {
        let running = Running::default();
        for n in 0..10 * FIRST_SWEEP {
            drop(running.join(n, |_| ((), pending())));
        }
        let known = running.0.lock().unwrap().by_key.len();
        assert!(known <= 2 * FIRST_SWEEP, "{known}");
    }

    #[tokio::test]
    async fn what_cannot_be_started_leaves_no_trace() {
        let running = Running::<_, ()>::default();
        let refused = running.try_join("a", |_| Err::<((), std::future::Pending<()>), _>("full"));
        assert_eq!(refused.err(), Some("full"));
        assert!(running.0.lock().unwrap().by_key.is_empty());
    }
}
