//! A way to a server that can be blocked: what is sent then arrives later, and nobody is told. So is a
//! network that is cut, and a server that hangs.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The way; it is gone when this is dropped.
#[derive(Debug)]
pub struct Gate {
    address: SocketAddr,
    is_open: watch::Sender<bool>,
    _ends: DropGuard,
}

impl Gate {
    /// An open way to the port of a server on this machine.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let is_open = watch::Sender::new(true);
        let (gate, ends) = (is_open.clone(), CancellationToken::new());
        let ended = ends.clone();
        tokio::spawn(ended.run_until_cancelled_owned(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else {
                    continue;
                };
                let (near, far) = (near.into_split(), far.into_split());
                tokio::spawn(carry(near.0, far.1, gate.subscribe()));
                tokio::spawn(carry(far.0, near.1, gate.subscribe()));
            }
        }));
        Self {
            address,
            is_open,
            _ends: ends.drop_guard(),
        }
    }

    /// The near end.
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Holds back everything from now on.
    pub fn block(&self) {
        self.is_open.send_replace(false);
    }

    /// Lets everything through again, what was held back first.
    pub fn open(&self) {
        self.is_open.send_replace(true);
    }
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut is_open: watch::Receiver<bool>,
) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if is_open.wait_for(|is_open| *is_open).await.is_err()
            || to.write_all(&bytes[..read]).await.is_err()
        {
            return;
        }
    }
    // The other end learns that this one is gone, unless the way is blocked.
    if is_open.wait_for(|is_open| *is_open).await.is_ok() {
        let _ = to.shutdown().await;
    }
}
