//! Where a request comes from.

use std::net::IpAddr;

use actix_web::http::header::HeaderMap;
use ipnet::IpNet;

const FORWARDED: &str = "x-forwarded-for";

/// The address of whoever asks: the peer's, or what our own reverse proxies say about it. Each proxy appends whom it heard, so
/// that the list is read from its end as long as a proxy of ours speaks; what somebody wrote before counts for nothing.
pub(super) fn client(peer: Option<IpAddr>, headers: &HeaderMap, proxies: &[IpNet]) -> Option<IpAddr> {
    let ours = |address: &IpAddr| {
        let address = address.to_canonical();
        proxies.iter().any(|network| network.contains(&address))
    };
    let mut client = peer?;
    let said: Vec<&str> = headers
        .get_all(FORWARDED)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    for text in said.into_iter().rev() {
        if !ours(&client) {
            break;
        }
        client = text.parse().ok()?;
    }
    Some(client)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn only_our_own_proxies_are_believed() {
        let proxies = ["10.0.0.0/8".parse().unwrap(), "127.0.0.1/32".parse().unwrap()];
        let seen = |peer: &str, said: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in said {
                headers.append(
                    HeaderName::from_static(FORWARDED),
                    HeaderValue::from_static(value),
                );
            }
            client(Some(peer.parse().unwrap()), &headers, &proxies).map(|address| address.to_string())
        };
        let address = |text: &str| Some(text.to_owned());
        assert_eq!(seen("192.0.2.7", &["198.51.100.1"]), address("192.0.2.7"));
        assert_eq!(seen("127.0.0.1", &[]), address("127.0.0.1"));
        assert_eq!(
            seen("127.0.0.1", &["198.51.100.1, 192.0.2.7"]),
            address("192.0.2.7")
        );
        assert_eq!(
            seen("::ffff:127.0.0.1", &["192.0.2.7", "10.1.2.3"]),
            address("192.0.2.7")
        );
        assert_eq!(seen("127.0.0.1", &["nonsense"]), None);
    }
}
