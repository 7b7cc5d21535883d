//! The oracle's reading of a request's form: what is sent, and what it means in one way only.

use super::facts::Caller;
use super::mcp::Message;
use super::truth::Truth;
use super::what::is_host;
use super::{Asked, World};
use std::net::IpAddr;

/// What of a request everybody reads alike.
#[derive(Clone)]
pub(crate) struct Form {
    pub(crate) host: String,
    pub(crate) path: String,
    /// Whether the host is none of the application's.
    pub(crate) foreign: bool,
}

/// A request of a caller who is known by now.
pub(crate) struct Call<'a> {
    pub(crate) asked: &'a Asked,
    pub(crate) form: Form,
    pub(crate) caller: Option<Caller<'a>>,
    /// 44: of a batch each message is decided as a request of its own.
    pub(crate) message: Message,
}

/// Characters that stand for themselves in a path beside letters and digits (RFC 3986 §3.3, `pchar`),
/// but for `;`.
const PLAIN: &[u8] = b"-._~!$&'()*+,=:@";

impl World {
    /// 25: the form of the request: one credential, one host, one path.
    pub(crate) fn form(&self, asked: &Asked) -> Result<Form, &'static str> {
        let path = canonical(&asked.path).ok_or("PathMalformed")?;
        let written = asked.headers("authorization").len();
        let borne = asked.token.iter().filter(|it| it.header.is_none()).count();
        if written.saturating_add(borne) > 1 {
            return Err("CredentialTwice");
        }
        let host = asked.host.to_ascii_lowercase();
        let host = host.split_once(':').map_or(&*host, |(host, _)| host);
        let host = host.trim_end_matches('.').to_owned();
        let own = self.hosts_of(&self.target());
        let foreign = !own.iter().any(|one| is_host(one, &host));
        Ok(Form {
            host,
            path,
            foreign,
        })
    }
}

impl Asked {
    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        let all = self.headers.iter();
        let named = all.filter(|(one, _)| one.eq_ignore_ascii_case(name));
        named.map(|(_, value)| &**value).collect()
    }

    /// A CORS preflight (Fetch §3.2.2).
    pub(crate) fn is_preflight(&self) -> bool {
        let there = |name| !self.headers(name).is_empty();
        self.method == "OPTIONS" && there("origin") && there("access-control-request-method")
    }
}

/// 17: the canonical path; nothing if there is none.
pub(crate) fn canonical(path: &str) -> Option<String> {
    let path = path.split('?').next()?;
    let mut segments: Vec<String> = Vec::new();
    let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    for (number, part) in parts.iter().enumerate() {
        let last = number.saturating_add(1) == parts.len();
        let segment = segment(part)?;
        match &*segment {
            "" if !last => return None,
            "." if last => segments.push(String::new()),
            "." => {}
            ".." => {
                segments.pop()?;
                if last {
                    segments.push(String::new());
                }
            }
            _ => segments.push(segment),
        }
    }
    Some(format!("/{}", segments.join("/")))
}

/// 17: `pchar` is decoded, other escapes are in upper case; what two servers read in two ways is none.
fn segment(part: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut bytes = part.bytes();
    let mut escaped = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            let plain = byte.is_ascii_alphanumeric() || PLAIN.contains(&byte);
            plain.then(|| out.push(byte))?;
            escaped.push(byte);
            continue;
        }
        let digits = [bytes.next()?, bytes.next()?].map(char::from);
        let text = String::from_iter(digits);
        let known = digits.iter().all(char::is_ascii_hexdigit);
        let byte = u8::from_str_radix(&text, 16).ok().filter(|_| known)?;
        escaped.push(byte);
        match byte {
            b'/' | b'\\' | b';' | 0..=0x1f | 0x7f => return None,
            plain if plain.is_ascii_alphanumeric() || PLAIN.contains(&plain) => out.push(plain),
            other => out.extend(format!("%{other:02X}").bytes()),
        }
    }
    // An escaped `%` before two digits would be an escape again for whoever decodes twice.
    let twice = out
        .windows(5)
        .any(|at| at.starts_with(b"%25") && at.iter().skip(3).all(u8::is_ascii_hexdigit));
    String::from_utf8(escaped).ok().filter(|_| !twice)?;
    String::from_utf8(out).ok()
}

/// 19: what a capture took, decoded once.
pub(crate) fn decoded(segment: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        out.push(if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?].map(char::from);
            u8::from_str_radix(&String::from_iter(digits), 16).ok()?
        } else {
            byte
        });
    }
    String::from_utf8(out).ok()
}

/// Whether it is an address and a number of bits.
pub(crate) fn is_network(network: &str) -> bool {
    let parts = network.split_once('/');
    parts.is_some_and(|(address, bits)| {
        address.parse::<IpAddr>().is_ok() && bits.parse::<u8>().is_ok()
    })
}

/// Whether an address begins with the bits of a network. Another family is another network.
pub(crate) fn is_within(address: &str, network: &str) -> Truth {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(four) => (32_u32, u128::from(four.to_bits())),
        IpAddr::V6(six) => (128, six.to_bits()),
    };
    let (network, length) = network.split_once('/')?;
    // 21: an IPv4 address in IPv6's form is that address.
    let (of, address) = bits(address.parse::<IpAddr>().ok()?.to_canonical());
    let (width, network) = bits(network.parse().ok()?);
    let rest = width.checked_sub(length.parse().ok()?)?;
    let shifted = |bits: u128| bits.checked_shr(rest).unwrap_or(0);
    Some(of == width && shifted(address) == shifted(network))
}
