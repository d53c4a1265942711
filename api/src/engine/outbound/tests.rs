//! Hostile addresses, hostile names, and servers that lead to them.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

#[test]
fn only_public_addresses_are_public() {
    let check = |address: &str, public: bool| {
        assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
    };
    for address in [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.0.8",
        "198.18.0.1",
        "240.0.0.1",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:db8::1",
        "2001::1",
        "::7f00:1",
        "3fff::1",
    ] {
        check(address, false);
    }
    for address in [
        "1.1.1.1",
        "93.184.216.34",
        "2606:4700::1111",
        "::ffff:1.1.1.1",
    ] {
        check(address, true);
    }
}

fn refused(url: &str, allowed: &[&str]) -> bool {
    let outbound = Outbound::new(AllowedTargets::parse(allowed).unwrap()).unwrap();
    outbound.check(&Url::parse(url).unwrap()).is_err()
}

#[test]
fn addresses_in_any_notation_are_refused() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for url in [
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "ftp://example.com/",
        "http://user@example.com/",
        "http://169.254.169.254/latest/meta-data",
    ] {
        assert!(refused(url, &[]), "{url}");
    }
    assert!(!refused("http://1.1.1.1/", &[]));
}

#[test]
fn an_operator_can_allow_targets() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    assert!(!refused("http://127.0.0.1:8080/", &["127.0.0.1:8080"]));
    assert!(refused("http://127.0.0.1:8081/", &["127.0.0.1:8080"]));
    assert!(!refused("http://10.2.3.4/", &["10.0.0.0/8"]));
    assert!(refused("http://11.2.3.4.5.nip/", &["11.2.3.4.5.nip:90"]));
    assert!(!refused("http://[::1]:90/", &["[::1]:90"]));
    assert!(AllowedTargets::parse(&["10.0.0.0/33"]).is_err());
    assert!(AllowedTargets::parse(&["a b"]).is_err());
}

/// Addresses that lead inside, each in another way. `PORT` is one where somebody listens on every
/// address of this machine.
const HOSTILE: [&str; 76] = [
    // This machine, in every notation of an IPv4 address that URLs take.
    "http://127.0.0.1:PORT/",
    "http://127.0.0.1.:PORT/",
    "http://127.1:PORT/",
    "http://127.0.1:PORT/",
    "http://127.255.255.254:PORT/",
    "http://2130706433:PORT/",
    "http://2130706433.:PORT/",
    "http://0x7f000001:PORT/",
    "http://0X7F.0x0.0x0.0x1:PORT/",
    "http://0x7f.1:PORT/",
    "http://017700000001:PORT/",
    "http://0177.0.0.1:PORT/",
    "http://0177.1:PORT/",
    "http://00000177.0.0.01:PORT/",
    "http://127.0x0.0.1:PORT/",
    "http://127.0.0.0x1:PORT/",
    "http://0:PORT/",
    "http://0.0.0.0:PORT/",
    "http://0x0:PORT/",
    "http://%31%32%37.0.0.1:PORT/",
    "http://127%2E0%2E0%2E1:PORT/",
    "http://\u{ff11}\u{ff12}\u{ff17}.0.0.1:PORT/",
    "http://\u{2460}\u{2461}\u{2466}.0.0.1:PORT/",
    "http://127\u{3002}0\u{3002}0\u{3002}1:PORT/",
    "http:127.0.0.1:PORT/",
    "http:\\\\127.0.0.1:PORT\\",
    "ht\ntp://127.0\t.0.1:PORT/",
    "https://127.0.0.1:PORT/",
    // As an IPv6 address, and inside of one.
    "http://[::1]:PORT/",
    "http://[0:0:0:0:0:0:0:1]:PORT/",
    "http://[0000::0001]:PORT/",
    "http://[::]:PORT/",
    "http://[::127.0.0.1]:PORT/",
    "http://[::7f00:1]:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://[::ffff:7f00:1]:PORT/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:PORT/",
    "http://[::ffff:0:127.0.0.1]:PORT/",
    "http://[64:ff9b::127.0.0.1]:PORT/",
    "http://[64:ff9b:1::127.0.0.1]:PORT/",
    "http://[2002:7f00:1::]:PORT/",
    "http://[2002:a9fe:a9fe::1]:PORT/",
    "http://[2001:0:7f00:1::]:PORT/",
    // Private, shared, link-local, reserved.
    "http://10.0.0.1:PORT/",
    "http://0xa.0.0.1:PORT/",
    "http://167772161:PORT/",
    "http://172.16.0.1:PORT/",
    "http://172.31.255.255:PORT/",
    "http://192.168.0.1:PORT/",
    "http://100.64.0.1:PORT/",
    "http://100.127.255.254:PORT/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/latest/meta-data/",
    "http://0xA9FEA9FE/",
    "http://[::ffff:169.254.169.254]/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://[fe80::1]:PORT/",
    "http://[fc00::1]:PORT/",
    "http://[ff02::1]:PORT/",
    "http://[2001:db8::1]:PORT/",
    "http://192.0.2.1:PORT/",
    "http://198.19.0.1:PORT/",
    "http://224.0.0.1:PORT/",
    "http://255.255.255.255:PORT/",
    // What looks like a public host and is none.
    "http://1.1.1.1@127.0.0.1:PORT/",
    "http://example.com:80@127.0.0.1:PORT/",
    "http://127.0.0.1:PORT#@example.com/",
    "http://127.0.0.1:PORT\\@example.com/",
    // Names.
    "http://localhost:PORT/",
    "http://LOCALHOST.:PORT/",
    "http://inside.test:PORT/",
    "http://mapped.test:PORT/",
    "http://several.test:PORT/",
    // Other protocols.
    "file:///etc/passwd",
    "gopher://127.0.0.1:PORT/_GET",
    "ftp://127.0.0.1:PORT/",
];

/// What the names of these tests lead to.
fn lookup(name: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
    static TURN: AtomicUsize = AtomicUsize::new(0);
    let addresses: &[&str] = match name.trim_end_matches('.') {
        "localhost" => &["127.0.0.1", "::1"],
        "inside.test" => &["10.0.0.1"],
        "mapped.test" => &["::ffff:127.0.0.1"],
        "several.test" => &["127.0.0.1", "169.254.169.254", "fd00::1"],
        // Another address every time: the first one may be asked.
        "turning.test" if TURN.fetch_add(1, Ordering::Relaxed) == 0 => &["127.0.0.2"],
        "turning.test" => &["127.0.0.1"],
        _ => &[],
    };
    let found = addresses
        .iter()
        .map(|a| SocketAddr::new(a.parse().unwrap(), 0));
    let found: Vec<_> = found.collect();
    Box::pin(async move { Ok(found) })
}

/// A server that redirects to wherever its path says, percent-encoded, on an address that may be
/// asked; and how often anything else on the same port was connected to.
async fn servers() -> (u16, Arc<AtomicUsize>) {
    let outer = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let port = outer.local_addr().unwrap().port();
    let inner = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let connected = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connected);
    tokio::spawn(async move {
        while inner.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = outer.accept().await {
            let mut head = vec![0; 16 * 1024];
            let read = stream.read(&mut head).await.unwrap();
            let head = String::from_utf8_lossy(&head[..read]).into_owned();
            let path = head.split(' ').nth(1).unwrap_or_default();
            let pair = url::form_urlencoded::parse(path.trim_start_matches("/?").as_bytes()).next();
            let to = pair.map(|(_, to)| to.into_owned()).unwrap_or_default();
            let to = to.replace(['\n', '\t'], "");
            let answer = format!(
                "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (port, connected)
}

fn guarded() -> Outbound {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let allowed = AllowedTargets::parse(&["127.0.0.2/32"]).unwrap();
    Outbound::with_lookup(allowed, lookup).unwrap()
}

#[tokio::test]
async fn nothing_inside_is_ever_connected_to() {
    let (port, connected) = servers().await;
    let outbound = guarded();
    for target in HOSTILE {
        let target = target.replace("PORT", &port.to_string());
        let refused = outbound.get(&target, &[]).await.map(|_| ()).unwrap_err();
        assert_eq!(refused.code, FetchErrorCode::ForbiddenTarget, "{target:?}");
        // The same when a public server leads there.
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("to", &target)
            .finish();
        let leading = format!("http://127.0.0.2:{port}/?{query}");
        let refused = outbound.get(&leading, &[]).await;
        // A header cannot hold every letter: such a redirect leads nowhere.
        assert!(
            refused.is_err() || !target.is_ascii(),
            "a redirect to {target:?}"
        );
    }
    assert_eq!(connected.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_the_second_time_is_checked_again() {
    let (port, connected) = servers().await;
    let outbound = guarded();
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("to", &format!("http://turning.test:{port}/again"))
        .finish();
    let asked = format!("http://turning.test:{port}/?{query}");
    let refused = outbound.get(&asked, &[]).await.map(|_| ()).unwrap_err();
    assert_eq!(refused.code, FetchErrorCode::ForbiddenTarget);
    assert_eq!(connected.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn redirects_have_an_end() {
    let (port, _) = servers().await;
    let mut to = "/".to_owned();
    for _ in 0..=MAX_REDIRECTS {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("to", &to)
            .finish();
        to = format!("/?{query}");
    }
    let refused = guarded()
        .get(&format!("http://127.0.0.2:{port}{to}"), &[])
        .await;
    let refused = refused.map(|_| ()).unwrap_err();
    assert_eq!(refused.code, FetchErrorCode::BadStatus);
}
