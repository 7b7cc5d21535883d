//! The hermetic tier: no network beyond loopback, no cluster.
