//! A fetch is over when its threads are back: the look-up of a name goes on when nobody waits for it any longer.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use tokio::sync::mpsc;

/// Held by whatever is still at work.
pub(super) type Busy = mpsc::Sender<Infallible>;

/// Does it, and waits for all that it has left at work: so there are never more threads that look up a
/// name than there are fetches, whoever's name servers never answer.
pub(super) async fn over<F: Future>(work: impl FnOnce(Busy) -> F) -> F::Output {
    let (busy, mut idle) = mpsc::channel(1);
    let done = work(busy).await;
    while idle.recv().await.is_some() {}
    done
}

/// The addresses of a host.
pub(super) async fn resolved(host: &str, port: u16, busy: &Busy) -> io::Result<Vec<SocketAddr>> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let (host, busy) = (host.to_owned(), busy.clone());
    let looking = tokio::task::spawn_blocking(move || {
        let found = (host.as_str(), port).to_socket_addrs();
        drop(busy);
        found.map(Iterator::collect)
    });
    looking.await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::over;
    use std::sync::mpsc;
    use std::task::Poll;

    #[tokio::test]
    async fn a_fetch_that_has_a_thread_at_work_is_not_over() {
        let (finish, wait) = mpsc::channel::<()>();
        let mut whole = Box::pin(over(|busy| async move {
            tokio::task::spawn_blocking(move || {
                let _ = wait.recv();
                drop(busy);
            });
            7
        }));
        for _ in 0..3 {
            assert_eq!(futures::poll!(&mut whole), Poll::Pending);
        }
        finish.send(()).unwrap();
        assert_eq!(whole.await, 7);
    }
}
