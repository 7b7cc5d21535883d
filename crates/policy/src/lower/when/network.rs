//! Networks as `inCIDR` takes them: written once, in the one right spelling.

use crate::cel::Fault;
use crate::diagnostic::Span;
use crate::lower::short;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::IpAddr;

/// The bits of an IPv6 address before the IPv4 address that it stands for.
const MAPPED: u8 = 96;

/// Reads a network whose host bits are zero.
pub(super) fn read(text: &str, span: Span) -> Result<IpNet, Fault> {
    let Ok(network) = text.parse::<IpNet>() else {
        let message = format!(
            "expected a network such as `10.0.0.0/8`, got `{}`",
            short(text)
        );
        let fault = Fault::new(span, message);
        return Err(match text.parse::<IpAddr>() {
            Ok(address) => fault.help(format!("write `{}`", IpNet::from(address))),
            Err(_) => fault,
        });
    };
    let right = plain(network.trunc());
    if right == network {
        return Ok(network);
    }
    let message = format!("`{}` is not how that network is written", short(text));
    Err(Fault::new(span, message).help(format!("write `{right}`")))
}

/// Callers have IPv4 addresses as themselves, never inside an IPv6 address.
fn plain(network: IpNet) -> IpNet {
    mapped(&network).map_or(network, IpNet::V4)
}

fn mapped(network: &IpNet) -> Option<Ipv4Net> {
    let IpNet::V6(six) = network else { return None };
    let six: &Ipv6Net = six;
    let length = six.prefix_len().checked_sub(MAPPED)?;
    Ipv4Net::new(six.network().to_ipv4_mapped()?, length).ok()
}
