//! The rules of the network: which addresses may be connected to, time limits, retries and the size limit.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::address::{AddressRange, AddressRefused, embedded, is_metadata};

/// The rules of fetching. There is no proxy: `HTTP_PROXY` and its like are not read, since a proxy would resolve names by
/// itself and so make the rule on addresses void.
#[derive(Clone, Debug)]
pub struct Network {
    /// Addresses that may be fetched from although they are not public.
    pub allowed: Vec<AddressRange>,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long the server may send nothing.
    pub idle_timeout: Duration,
    /// How often a fetch is tried before storage counts as unavailable.
    pub attempts: u32,
    /// How long one download may take, with all its attempts.
    pub fetch_timeout: Duration,
    /// The pause before the second attempt; it doubles with each further one.
    pub backoff: Duration,
    /// The most bytes of one download.
    pub max_download: u64,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            allowed: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            attempts: 5,
            fetch_timeout: Duration::from_secs(6 * 60 * 60),
            backoff: Duration::from_millis(500),
            max_download: 64 << 30,
        }
    }
}

impl Network {
    /// Why an address must not be fetched from; `None` when it may.
    ///
    /// Loopback, link-local (where clouds keep their metadata and credentials), unspecified and multicast addresses are
    /// refused, and those of metadata elsewhere; so are IPv6 forms that carry one of them inside.
    #[must_use]
    pub fn refusal(&self, address: IpAddr) -> Option<&'static str> {
        let allowed = |address: &IpAddr| self.allowed.iter().any(|range| range.allows(address));
        if allowed(&address) {
            return None;
        }
        let inside = embedded(address).into_iter().filter(|inside| !allowed(inside));
        std::iter::once(address).chain(inside).find_map(not_to_be_connected_to)
    }

    /// Refuses an address that must not be connected to; `host` is what led to it.
    pub(crate) fn check(&self, host: &str, address: IpAddr) -> Result<(), AddressRefused> {
        self.refusal(address).map_or(Ok(()), |what| {
            Err(AddressRefused(format!(
                "{host} is {what}, which is not connected to unless --allow-address (MLPIPELINE_ALLOW_ADDRESSES) lists it"
            )))
        })
    }

    /// The addresses of a host, all of which were checked: one bad one is enough to refuse, since a name that leads to both is
    /// after something.
    ///
    /// # Errors
    /// When the name leads nowhere, or where it must not; then the error's source is [`AddressRefused`].
    pub(crate) async fn resolve(&self, host: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
        let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await?.collect();
        for address in &found {
            let shown = match host.parse::<IpAddr>() {
                Ok(_) => host.to_owned(),
                Err(_) => format!("{host} ({})", address.ip()),
            };
            self.check(&shown, address.ip()).map_err(std::io::Error::other)?;
        }
        Ok(found)
    }
}

/// What an address is that nobody connects to without being allowed to.
fn not_to_be_connected_to(address: IpAddr) -> Option<&'static str> {
    let link_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    let this_network =
        matches!(address, IpAddr::V4(address) if address.octets()[0] == 0 || address.is_broadcast());
    if address.is_loopback() {
        Some("a loopback address")
    } else if link_local {
        Some("a link-local address, where machines keep their metadata")
    } else if is_metadata(&address) {
        Some("an address where a cloud keeps its machines' metadata")
    } else if address.is_unspecified() || this_network {
        Some("not the address of one machine")
    } else if address.is_multicast() {
        Some("a multicast address")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_machine_and_of_metadata_are_refused_in_every_disguise() {
        let network = Network::default();
        for refused in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
            "169.254.170.2",
            "168.63.129.16",
            "100.100.100.200",
            "192.0.0.192",
            "fd00:c1::a9fe:a9fe",
            "fd00:42::42",
            "::ffff:168.63.129.16",
            "::ffff:0:a9fe:a9fe",
            "64:ff9b::6464:64c8",
            "64:ff9b:1::a9fe:a9fe",
            "64:ff9b:1:a9fe:a9:fe00::",
            "64:ff9b:1:2:a9:fea9:fe00:0",
            "2002:a9fe:a9fe::1",
            "2001:0:a9fe:a9fe::1",
            "2001:0:5db8:d822:0:0:5601:5601",
            "2606:4700::5efe:169.254.169.254",
        ] {
            assert!(network.refusal(refused.parse().expect(refused)).is_some(), "{refused}");
        }
        for fine in [
            "93.184.216.34",
            "10.0.0.1",
            "192.168.1.1",
            "2606:4700::1111",
            "fd00::1",
            "64:ff9b::5db8:d822",
            "64:ff9b:1::5db8:d822",
        ] {
            assert_eq!(network.refusal(fine.parse().expect(fine)), None, "{fine}");
        }
    }

    #[test]
    fn allowed_ranges_are_let_through_and_nothing_else() {
        let allowed = ["127.0.0.1", "fe80::/10"].map(|text| text.parse().expect(text)).to_vec();
        let network = Network { allowed, ..Network::default() };
        for (address, fine) in [
            ("127.0.0.1", true),
            ("::ffff:127.0.0.1", true),
            ("127.0.0.2", false),
            ("fe80::9", true),
            ("::1", false),
        ] {
            assert_eq!(network.refusal(address.parse().expect(address)).is_none(), fine, "{address}");
        }
        assert!("localhost".parse::<AddressRange>().is_err());
    }

    #[test]
    fn a_private_network_that_is_allowed_does_not_open_the_metadata_in_it() {
        let network = |ranges: &[&str]| Network {
            allowed: ranges.iter().map(|text| text.parse().expect(text)).collect(),
            ..Network::default()
        };
        let private = network(&["fc00::/7", "10.0.0.0/8", "100.64.0.0/10"]);
        for refused in
            ["fd00:ec2::254", "fd20:ce::254", "fd00:42::42", "100.100.100.200", "::ffff:100.100.100.200"]
        {
            assert!(private.refusal(refused.parse().expect(refused)).is_some(), "{refused}");
        }
        for fine in ["fd00::1", "10.1.2.3", "100.64.0.1"] {
            assert_eq!(private.refusal(fine.parse().expect(fine)), None, "{fine}");
        }
        let named = network(&["fd00:ec2::254", "100.100.100.200/32"]);
        for fine in ["fd00:ec2::254", "100.100.100.200"] {
            assert_eq!(named.refusal(fine.parse().expect(fine)), None, "{fine}");
        }
    }
}
