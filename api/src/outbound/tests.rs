//! Hostile addresses, hostile names, and servers that lead to them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use OutboundErrorKind::{ForbiddenTarget, TooManyRedirects};

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
        "198.51.100.7",
        "203.0.113.7",
        "192.88.99.1",
        "fec0::1",
        "64:ff9b:1::1.1.1.1",
        "2606:4700::5efe:10.0.0.1",
        "2606:4700::200:5efe:127.0.0.1",
        "2002:101:101::5efe:127.0.0.1",
    ] {
        check(address, false);
    }
    for address in [
        "1.1.1.1",
        "93.184.216.34",
        "2606:4700::1111",
        "::ffff:1.1.1.1",
        "2606:4700::5efe:1.1.1.1",
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
    for text in [
        "a b",
        "user@host",
        "@host",
        "user:pass@host:80",
        "host?x",
        "host#x",
        "host/x",
        "host\\x",
        "host:",
        "host:99999",
        "",
    ] {
        assert!(AllowedTargets::parse(&[text]).is_err(), "{text}");
    }
}

/// Addresses that lead inside, each in another way. `PORT` is one where somebody listens on every
/// address of this machine.
const HOSTILE: [&str; 90] = [
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
    "http://198.51.100.7:PORT/",
    "http://203.0.113.7:PORT/",
    "http://192.88.99.1:PORT/",
    "http://192.0.0.8:PORT/",
    "http://240.0.0.1:PORT/",
    "http://254.255.255.254:PORT/",
    "http://[fec0::1]:PORT/",
    "http://[3fff::1]:PORT/",
    "http://[64:ff9b:1::1]:PORT/",
    "http://[64:ff9b:1:ffff::10.0.0.1]:PORT/",
    "http://[2606:4700::5efe:127.0.0.1]:PORT/",
    "http://[2606:4700::200:5efe:10.0.0.1]:PORT/",
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
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://metadata.google.internal.:PORT/",
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
        "metadata.google.internal" => &["169.254.169.254"],
        // Half of it is public: the address that stands for the internet in these tests.
        "half.test" => &["127.0.0.1", "127.0.0.2", "10.0.0.1"],
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

/// A server that redirects to wherever its query says, with the status and the body that this says,
/// on an address that may be asked; and how often anything else on the same port was connected to.
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
            let said: HashMap<String, String> =
                url::form_urlencoded::parse(path.trim_start_matches("/?").as_bytes())
                    .into_owned()
                    .collect();
            let of = |name: &str| said.get(name).cloned().unwrap_or_default();
            let to = of("to").replace(['\n', '\t'], "");
            let status = if of("status").is_empty() {
                "302".to_owned()
            } else {
                of("status")
            };
            let body = of("body");
            let answer = format!(
                "HTTP/1.1 {status} Said\r\nlocation: {to}\r\ncontent-length: {}\r\nconnection: \
                 close\r\n\r\n{body}",
                body.len()
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

/// Why an address is not asked; nothing if it is.
async fn refusal(outbound: &Outbound, url: &str) -> Option<OutboundErrorKind> {
    let sent = outbound.send(&Outgoing::get(url)).await;
    sent.err().map(|error| error.kind)
}

/// The address of the redirecting server that leads to `to`.
fn leading(port: u16, to: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("to", to)
        .finish();
    format!("http://127.0.0.2:{port}/?{query}")
}

#[tokio::test]
async fn nothing_inside_is_ever_connected_to() {
    let (port, connected) = servers().await;
    let outbound = guarded();
    for target in HOSTILE {
        let target = target.replace("PORT", &port.to_string());
        let refused = refusal(&outbound, &target).await;
        assert_eq!(refused, Some(ForbiddenTarget), "{target:?}");
        // The same when a public server leads there. A header cannot hold every letter: such a
        // redirect is not followed. One without a host leads back to who sent it.
        let leading = leading(port, &target);
        let base = Url::parse(&leading).unwrap();
        let goes_back = base.join(&target).unwrap().host() == base.host();
        let expected = match (target.is_ascii(), goes_back) {
            (false, _) => None,
            (true, true) => Some(TooManyRedirects),
            (true, false) => Some(ForbiddenTarget),
        };
        let refused = refusal(&outbound, &leading).await;
        assert_eq!(refused, expected, "a redirect to {target:?}");
    }
    assert_eq!(connected.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn of_a_name_that_is_half_public_only_that_half_is_connected_to() {
    let (port, connected) = servers().await;
    let request = Outgoing::new(Method::GET, format!("http://half.test:{port}/"));
    for _ in 0..5 {
        let answer = guarded().send(&request).await.unwrap();
        assert_eq!(answer.status, StatusCode::FOUND);
    }
    assert_eq!(connected.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_the_second_time_is_checked_again() {
    let (port, connected) = servers().await;
    let outbound = guarded();
    let again = format!("http://turning.test:{port}/again");
    let asked = leading(port, &again).replace("127.0.0.2", "turning.test");
    assert_eq!(refusal(&outbound, &asked).await, Some(ForbiddenTarget));
    assert_eq!(connected.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn redirects_have_an_end() {
    let (port, _) = servers().await;
    let mut to = "/".to_owned();
    for _ in 0..=MAX_REDIRECTS {
        to = leading(port, &to);
    }
    let refused = refusal(&guarded(), &to).await;
    assert_eq!(refused, Some(TooManyRedirects));
}

#[tokio::test]
async fn only_a_get_that_wants_to_is_redirected_and_only_by_what_is_a_redirect() {
    let (port, connected) = servers().await;
    let outbound = guarded();
    let inside = leading(port, "http://127.0.0.1/");
    for request in [
        Outgoing::new(Method::GET, &inside),
        Outgoing::post(&inside, "text/plain", "x"),
        Outgoing {
            follow_redirects: true,
            ..Outgoing::post(&inside, "text/plain", "x")
        },
    ] {
        let answer = outbound.send(&request).await.unwrap();
        assert_eq!(answer.status, StatusCode::FOUND);
        assert_eq!(answer.header("location"), "http://127.0.0.1/");
    }
    for (status, follows) in [
        (300, false),
        (301, true),
        (304, false),
        (305, false),
        (308, true),
    ] {
        let url = format!("{inside}&status={status}");
        let refused = refusal(&outbound, &url).await;
        assert_eq!(refused, follows.then_some(ForbiddenTarget), "{status}");
    }
    assert_eq!(connected.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn an_answer_that_is_too_large_fails_or_is_cut() {
    let (port, _) = servers().await;
    let url = format!("http://127.0.0.2:{port}/?to=/&body=12345");
    let ask = |most, larger| {
        let request = Outgoing::new(Method::GET, &url).at_most(most, larger);
        async move { guarded().send(&request).await }
    };
    let whole = ask(5, LargerAnswer::Fails).await.unwrap();
    assert_eq!((&*whole.body, whole.is_cut), (&b"12345"[..], false));
    let cut = ask(4, LargerAnswer::IsCut).await.unwrap();
    assert_eq!((&*cut.body, cut.is_cut), (&b"1234"[..], true));
    let refused = ask(4, LargerAnswer::Fails).await.unwrap_err();
    assert_eq!(refused.kind, OutboundErrorKind::TooLarge);
}

#[tokio::test]
async fn what_cannot_be_sent_is_not_sent() {
    let outbound = guarded();
    let check = |request: Outgoing| {
        let outbound = &outbound;
        async move { outbound.send(&request).await.unwrap_err().kind }
    };
    let odd = Outgoing::get("http://127.0.0.2:9/").header("x-key", "a\nb");
    assert_eq!(check(odd).await, OutboundErrorKind::InvalidHeader);
    let odd = Outgoing::get("http://127.0.0.2:9/").header("x key", "a");
    assert_eq!(check(odd).await, OutboundErrorKind::InvalidHeader);
    let odd = Outgoing::get("127.0.0.2");
    assert_eq!(check(odd).await, OutboundErrorKind::InvalidUrl);
}
