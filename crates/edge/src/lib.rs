//! Puts an enforcer in front of traffic.
