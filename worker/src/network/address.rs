//! Ranges of addresses, and IPv4 addresses that hide in IPv6 ones.

use std::net::IpAddr;
use std::str::FromStr;

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
    /// Whether an address is in the range.
    pub(super) fn contains(&self, address: &IpAddr) -> bool {
        self.0.contains(address)
    }

    /// The addresses by which a machine reaches itself.
    #[must_use]
    pub fn loopback() -> [Self; 2] {
        let hosts =
            [IpAddr::from(std::net::Ipv4Addr::LOCALHOST), IpAddr::from(std::net::Ipv6Addr::LOCALHOST)];
        hosts.map(|host| Self(if host.is_ipv4() { IpNet::new_assert(host, 8) } else { IpNet::from(host) }))
    }
}

/// The IPv4 address inside an IPv6 one (mapped, compatible, 6to4 or NAT64), or the address itself.
pub(super) fn unwrapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else { return address };
    let part = six.segments();
    let four = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        IpAddr::from([a, b, c, d])
    };
    match part {
        [0, 0, 0, 0, 0, 0xffff, high, low] => four(high, low),
        [0, 0, 0, 0, 0, 0, high, low] if !six.is_loopback() && !six.is_unspecified() => four(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => four(high, low),
        [0x2002, high, low, ..] => four(high, low),
        _ => address,
    }
}
