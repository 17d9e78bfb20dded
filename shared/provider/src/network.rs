//! Allowed network addresses. A base URL is typed by people and must not give access to the internal network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::error::SetupError;

/// The addresses that may be called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// Public addresses over HTTPS.
    #[default]
    Public,
    /// Any address, also over HTTP. For local runs and tests, where the provider is a simulator.
    Any,
}

impl std::str::FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "public" => Ok(Self::Public),
            "any" => Ok(Self::Any),
            _ => Err("it is public or any"),
        }
    }
}

impl Network {
    /// Checks the URL itself. Host names are checked after resolution.
    pub(crate) fn allows(self, url: &Url) -> Result<(), SetupError> {
        if self == Self::Any {
            return Ok(());
        }
        if url.scheme() != "https" {
            return Err(SetupError::BaseUrl("it is not https"));
        }
        let is_public = match url.host() {
            Some(url::Host::Ipv4(address)) => is_public(address.into()),
            Some(url::Host::Ipv6(address)) => is_public(address.into()),
            Some(url::Host::Domain(_)) => true,
            None => false,
        };
        if is_public { Ok(()) } else { Err(SetupError::BaseUrl("its address is not public")) }
    }

    pub(crate) fn resolver(self) -> Arc<Resolver> {
        Arc::new(Resolver(self))
    }
}

/// Resolves names and removes addresses that may not be called.
pub(crate) struct Resolver(Network);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let network = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> =
                found.filter(|address| network == Network::Any || is_public(address.ip())).collect();
            if allowed.is_empty() {
                return Err("the name has no public address".into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is on the public internet, according to IANA's special-purpose registries.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_shared = a == 100 && (64..128).contains(&b);
    let is_protocol = a == 192 && b == 0 && c == 0;
    let is_benchmark = a == 198 && (18..20).contains(&b);
    let is_reserved = a >= 240;
    !(a == 0
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || is_shared
        || is_protocol
        || is_benchmark
        || is_reserved)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // Only 2000::/3 is allocated. It contains exceptions: documentation, Teredo and 6to4. The last two carry IPv4
    // addresses.
    let [first, second, ..] = segments;
    let is_unicast = first & 0xe000 == 0x2000;
    let is_documentation = first == 0x2001 && second == 0x0db8;
    let is_tunnel = first == 0x2002 || (first == 0x2001 && second == 0);
    is_unicast && !is_documentation && !is_tunnel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for address in ["8.8.8.8", "157.240.1.1", "2a03:2880:f12f::1", "2606:4700::1"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "fc00::1",
            "fe80::1",
            "ff02::1",
            "2001:db8::1",
            "2002:a00:1::",
            "2001:0:1::",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_base_url_is_https_and_public() {
        let allows = |url: &str| Network::Public.allows(&url.parse().unwrap());
        assert_eq!(allows("https://graph.facebook.com/v23.0"), Ok(()));
        assert!(allows("http://graph.facebook.com").is_err());
        assert!(allows("https://127.0.0.1/").is_err());
        assert!(allows("https://[::1]/").is_err());
        assert!(allows("https://2130706433/").is_err(), "the same loopback address, written as one number");
        assert_eq!(Network::Any.allows(&"http://127.0.0.1:8090/v1".parse().unwrap()), Ok(()));
    }

    #[tokio::test]
    async fn a_name_with_a_private_address_is_not_called() {
        let resolve = |network: Network| network.resolver().resolve("localhost".parse().unwrap());
        assert!(resolve(Network::Public).await.is_err());
        assert!(resolve(Network::Any).await.is_ok());
    }
}
