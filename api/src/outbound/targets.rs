//! Which addresses may be asked: public ones, and those that whoever runs Dash allows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use url::Url;

/// Private addresses that whoever runs Dash allows all the same.
#[derive(Clone, Debug, Default)]
pub struct AllowedTargets(Vec<Allowed>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Allowed {
    /// A host, by name or address, with one port or any.
    Host { host: String, port: Option<u16> },
    /// A network: an address and how many of its bits count.
    Network { address: IpAddr, bits: u8 },
}

/// The text names no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not a host, host:port or network such as 10.0.0.0/8")]
pub struct InvalidTarget(pub String);

impl FromStr for Allowed {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        let invalid = || InvalidTarget(text.to_owned());
        // Of these an address would make something else than a host and a port.
        if text.contains(['@', '?', '#', '\\']) || text.ends_with(':') {
            return Err(invalid());
        }
        if let Some((address, bits)) = text.split_once('/') {
            let address: IpAddr = address.parse().map_err(|_| invalid())?;
            let bits: u8 = bits.parse().map_err(|_| invalid())?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            return if bits <= most {
                Ok(Self::Network { address, bits })
            } else {
                Err(invalid())
            };
        }
        let url = Url::parse(&format!("http://{text}/")).map_err(|_| invalid())?;
        let host = url.host_str().ok_or_else(invalid)?.to_owned();
        let port = text
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse().ok());
        Ok(Self::Host { host, port })
    }
}

impl AllowedTargets {
    /// Reads each target: `host`, `host:port`, or a network such as `10.0.0.0/8`.
    pub fn parse<T: AsRef<str>>(targets: &[T]) -> Result<Self, InvalidTarget> {
        targets
            .iter()
            .map(|target| target.as_ref().parse())
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub(super) fn allow_host(&self, host: &str, port: u16) -> bool {
        self.0.iter().any(|allowed| match allowed {
            Allowed::Host {
                host: name,
                port: only,
            } => name.eq_ignore_ascii_case(host) && only.is_none_or(|only| only == port),
            Allowed::Network { .. } => false,
        })
    }

    pub(super) fn allow_address(&self, address: IpAddr) -> bool {
        self.0.iter().any(|allowed| match allowed {
            Allowed::Network {
                address: network,
                bits,
            } => in_network(address, *network, *bits),
            Allowed::Host { .. } => false,
        })
    }

    /// Whether a host of this name is allowed, if only with some port.
    pub(super) fn name_host(&self, host: &str) -> bool {
        self.0.iter().any(|allowed| {
            matches!(allowed, Allowed::Host { host: name, .. } if name.eq_ignore_ascii_case(host))
        })
    }
}

fn in_network(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let (a, b, width) = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
        _ => return false,
    };
    bits == 0 || (a ^ b).checked_shr(u32::from(width - bits)).unwrap_or(0) == 0
}

/// Whether an address is on the public internet: not this machine, not a private network, not one
/// that is reserved, and not one of these inside an IPv6 address.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    !(v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_broadcast()
        || v4.is_documentation()
        || v4.is_multicast()
        || a == 0
        || a >= 240
        // Carrier-grade NAT, IETF protocol assignments, 6to4 relays, benchmarking.
        || a == 100 && (64..128).contains(&b)
        || a == 192 && b == 0 && c == 0
        || a == 192 && b == 88 && c == 99
        || a == 198 && (b == 18 || b == 19))
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    let segments = v6.segments();
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // ISATAP: an IPv4 address behind any prefix.
        [.., 0 | 0x200, 0x5efe, high, low] if !embedded(high, low) => false,
        // v4-mapped, and NAT64's well-known prefix: what counts is the v4 address inside.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            embedded(high, low)
        }
        // 6to4.
        [0x2002, high, low, ..] => embedded(high, low),
        // Teredo, ORCHID and documentation.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        // Everything that is assigned lies in 2000::/3.
        [first, ..] => first & 0xe000 == 0x2000 && first != 0x3fff,
    }
}
