//! The bodies of webhooks on their way in. Each has a limit, and all together have one: a body takes
//! room as it arrives, and gives it back when its records are stored.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use dash_shared::sources::MAX_BODY_BYTES;
use futures_util::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How many bytes all bodies take at once.
const ALL_BYTES: usize = 64 * 1024 * 1024;
/// How long a body may take, so that nobody holds room by sending slowly.
const BODY_TIME: Duration = Duration::from_mins(1);
/// How long a body waits for room before its sender is told to come back.
const ROOM_WAIT: Duration = Duration::from_secs(2);

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is larger than one may be.
    TooLarge,
    /// It did not arrive whole.
    Incomplete,
    /// There is no room for it.
    Busy,
}

/// The room for bodies. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Bodies {
    room: Arc<Semaphore>,
    wait: Duration,
}

/// A body, and the room that it takes.
#[derive(Debug)]
pub(super) struct ReadBody {
    pub(super) bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl Bodies {
    pub(super) fn new() -> Self {
        Self {
            room: Arc::new(Semaphore::new(ALL_BYTES)),
            wait: ROOM_WAIT,
        }
    }

    /// Reads a body to its end; one that takes too long has not arrived whole.
    pub(super) async fn read(&self, body: Body) -> Result<ReadBody, Refusal> {
        let read = timeout(BODY_TIME, self.collect(body)).await;
        read.unwrap_or(Err(Refusal::Incomplete))
    }

    async fn collect(&self, body: Body) -> Result<ReadBody, Refusal> {
        let mut chunks = body.into_data_stream();
        let mut read = BytesMut::new();
        let mut taken: Option<OwnedSemaphorePermit> = None;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Refusal::Incomplete)?;
            if read.len() + chunk.len() > MAX_BODY_BYTES {
                return Err(Refusal::TooLarge);
            }
            let room = self.take(chunk.len()).await?;
            match &mut taken {
                Some(taken) => taken.merge(room),
                None => taken = Some(room),
            }
            read.extend_from_slice(&chunk);
        }
        Ok(ReadBody {
            bytes: read.freeze(),
            _room: taken,
        })
    }

    async fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Refusal> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(bytes);
        match timeout(self.wait, room).await {
            Ok(Ok(room)) => Ok(room),
            Ok(Err(_)) | Err(_) => Err(Refusal::Busy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    fn body(chunks: Vec<&'static [u8]>) -> Body {
        let chunks = chunks.into_iter().map(Ok::<_, std::io::Error>);
        Body::from_stream(stream::iter(chunks))
    }

    #[tokio::test]
    async fn a_body_is_read_whole_and_gives_its_room_back() {
        let bodies = Bodies::new();
        let read = bodies.read(body(vec![b"ab", b"", b"c"])).await.unwrap();
        assert_eq!(&read.bytes[..], b"abc");
        assert_eq!(bodies.room.available_permits(), ALL_BYTES - 3);
        drop(read);
        assert_eq!(bodies.room.available_permits(), ALL_BYTES);
        assert!(bodies.read(Body::empty()).await.unwrap().bytes.is_empty());
    }

    #[tokio::test]
    async fn what_is_too_large_or_breaks_off_is_refused_and_takes_no_room() {
        let bodies = Bodies::new();
        let half: &'static [u8] = vec![b'a'; MAX_BODY_BYTES / 2 + 1].leak();
        let refused = bodies.read(body(vec![half, half])).await.unwrap_err();
        assert_eq!(refused, Refusal::TooLarge);
        let broken = stream::iter([Ok(Bytes::from("a")), Err(std::io::Error::other("gone"))]);
        let refused = bodies.read(Body::from_stream(broken)).await.unwrap_err();
        assert_eq!(refused, Refusal::Incomplete);
        assert_eq!(bodies.room.available_permits(), ALL_BYTES);
    }

    #[tokio::test]
    async fn without_room_the_sender_is_told_to_come_back() {
        let bodies = Bodies {
            wait: Duration::from_millis(1),
            ..Bodies::new()
        };
        let all = bodies.take(ALL_BYTES).await.unwrap();
        let refused = bodies.read(body(vec![b"a"])).await.unwrap_err();
        assert_eq!(refused, Refusal::Busy);
        drop(all);
        assert!(bodies.read(body(vec![b"a"])).await.is_ok());
    }
}
