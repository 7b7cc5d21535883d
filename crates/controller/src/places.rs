//! Places for connections: so many in all, and so many for one peer, so that one cannot have them all.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The places that there are.
#[derive(Debug)]
pub(crate) struct Places {
    most: usize,
    of_one: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_peer: HashMap<IpAddr, usize>,
}

/// A place, until this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    peer: IpAddr,
}

impl Places {
    pub(crate) fn new(most: usize, of_one: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            of_one,
            taken: Mutex::default(),
        })
    }

    /// A place for a peer, if there is one.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let peer = peer(address);
        let mut taken = self.hold();
        let own = taken.by_peer.get(&peer).copied().unwrap_or_default();
        if taken.all >= self.most || own >= self.of_one {
            return None;
        }
        taken.all = taken.all.saturating_add(1);
        taken.by_peer.insert(peer, own.saturating_add(1));
        drop(taken);
        Some(Place {
            places: Arc::clone(self),
            peer,
        })
    }

    fn hold(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.hold();
        taken.all = taken.all.saturating_sub(1);
        let own = taken.by_peer.get(&self.peer).copied().unwrap_or_default();
        // who has none left is not remembered
        if own > 1 {
            taken.by_peer.insert(self.peer, own.saturating_sub(1));
        } else {
            taken.by_peer.remove(&self.peer);
        }
    }
}

/// Whoever has one address of an IPv6 network has all of its last 64 bits.
fn peer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Places;

    #[test]
    fn one_peer_cannot_have_all_places() {
        let places = Places::new(3, 2);
        let of = |address: &str| places.take(address.parse().unwrap());
        let (one, two) = (of("10.0.0.1"), of("::ffff:10.0.0.1"));
        assert!(one.is_some() && two.is_some());
        assert!(of("10.0.0.1").is_none());
        let other = of("10.0.0.2");
        assert!(other.is_some());
        assert!(of("10.0.0.3").is_none(), "there are no more at all");
        drop(one);
        assert!(of("10.0.0.1").is_some());
        drop((two, other));
        assert!(places.hold().by_peer.is_empty());
    }

    #[test]
    fn a_network_of_ipv6_is_one_peer() {
        let places = Places::new(9, 1);
        let of = |address: &str| places.take(address.parse().unwrap());
        let one = of("2001:db8::1");
        assert!(one.is_some() && of("2001:db8::ffff:2").is_none());
        assert!(of("2001:db8:0:1::1").is_some());
    }
}
