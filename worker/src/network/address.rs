//! Ranges of addresses, and IPv4 addresses that hide in IPv6 ones.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::LazyLock;

use ipnet::IpNet;

/// A name or an address that must not be connected to.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct AddressRefused(pub(crate) String);

/// A range of addresses, as "10.0.0.0/8", "::1/128" or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange(IpNet);

impl FromStr for AddressRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map(Self).map_err(|_| {
            format!("\"{text}\" is not a range of addresses; write it like 10.0.0.0/8 or ::1/128")
        })
    }
}

impl AddressRange {
    /// Whether the range lets an address through: one that is in it; and where a cloud keeps metadata, only a range that names just
    /// that, since private ranges are listed for a network of one's own.
    pub(super) fn allows(&self, address: &IpAddr) -> bool {
        let names = || metadata(address).is_none_or(|range| range.contains(&self.0));
        self.0.contains(address) && names()
    }

    /// The addresses by which a machine reaches itself.
    #[must_use]
    pub fn loopback() -> [Self; 2] {
        let hosts =
            [IpAddr::from(std::net::Ipv4Addr::LOCALHOST), IpAddr::from(std::net::Ipv6Addr::LOCALHOST)];
        hosts.map(|host| Self(if host.is_ipv4() { IpNet::new_assert(host, 8) } else { IpNet::from(host) }))
    }
}

/// The addresses of machines' metadata and credentials that are not link-local, in the large clouds. They are private or public
/// addresses otherwise, and nothing but the cloud itself has them.
const METADATA: [&str; 7] = [
    // AWS: metadata, time, names and the credentials of pods.
    "fd00:ec2::/32",
    // Google Cloud.
    "fd20:ce::254/128",
    // Azure's host, which gives out certificates and settings.
    "168.63.129.16/32",
    // Alibaba Cloud.
    "100.100.100.200/32",
    // Oracle Cloud, of old and on IPv6.
    "192.0.0.192/32",
    "fd00:c1::a9fe:a9fe/128",
    // Scaleway.
    "fd00:42::42/128",
];

/// Where a cloud keeps a machine's metadata, if that is around this address.
fn metadata(address: &IpAddr) -> Option<IpNet> {
    // Every request asks.
    static RANGES: LazyLock<Vec<IpNet>> =
        LazyLock::new(|| METADATA.iter().filter_map(|range| range.parse().ok()).collect());
    RANGES.iter().find(|range| range.contains(address)).copied()
}

/// Whether a cloud keeps a machine's metadata at an address.
pub(super) fn is_metadata(address: &IpAddr) -> bool {
    metadata(address).is_some()
}

/// The IPv4 addresses that an IPv6 one may lead to: mapped, compatible, translated by NAT64 (RFC 6052 and 8215) or SIIT, or at the
/// end of a tunnel (6to4, Teredo, ISATAP).
pub(super) fn embedded(address: IpAddr) -> Vec<IpAddr> {
    let IpAddr::V6(six) = address else { return Vec::new() };
    let four = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        IpAddr::from([a, b, c, d])
    };
    let part = six.segments();
    match part {
        [0, 0, 0, 0, 0, 0, ..] if six.is_loopback() || six.is_unspecified() => Vec::new(),
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => vec![four(high, low)],
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => vec![four(high, low)],
        // A network's own prefix may be of 96, 64, 56 or 48 bits, and the byte behind 64 bits is skipped.
        [0x64, 0xff9b, 1, .., high, low] => {
            let bytes = six.octets();
            let at = |places: [usize; 4]| {
                IpAddr::from(places.map(|place| bytes.get(place).copied().unwrap_or_default()))
            };
            let found = [four(high, low), at([9, 10, 11, 12]), at([7, 9, 10, 11]), at([6, 7, 9, 10])];
            // Read at the wrong place, an address begins with zeros; 0.0.0.0/8 is of no machine.
            found
                .into_iter()
                .filter(|address| matches!(address, IpAddr::V4(four) if four.octets()[0] != 0))
                .collect()
        }
        [0x2002, high, low, ..] => vec![four(high, low)],
        // The server of a Teredo tunnel, and its client, whose bits are turned over.
        [0x2001, 0, server_high, server_low, _, _, high, low] => {
            vec![four(server_high, server_low), four(!high, !low)]
        }
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => vec![four(high, low)],
        _ => Vec::new(),
    }
}
