//! The edge over real sockets: rules that were signed and verified, callers and a service on loopback.

mod admin;
mod answers;
mod audit;
mod caller;
mod forwarded;
mod framing;
mod grpc;
mod identity;
mod issuer;
mod limits;
mod news;
mod onward;
mod rules;
mod service;
mod stop;
mod streams;
mod tunnel;
mod unanswered;
mod world;
