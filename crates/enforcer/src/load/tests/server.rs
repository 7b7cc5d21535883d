//! Rulesets from a server on loopback: what it is asked for, what it is told, and what it cannot do.

use super::super::http::Http;
use super::super::place::{Endpoint, Place};
use super::super::remote::{Known, Waited};
use super::super::watch;
use super::{Disk, NOW, News, Report};
use countersign_ruleset::names::Scope;
use countersign_ruleset::verifier::{Fetched, Wanted};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

/// A request: its path, and its head in lower case.
pub(in crate::load) type Asked = (String, String);

/// A server that answers as it is told to; each connection is for one request.
pub(in crate::load) struct Server {
    pub(in crate::load) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(in crate::load) fn new(
        answer: impl Fn(&str, &str) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let (taken, answer) = (Arc::clone(&asked), Arc::new(answer));
        // It ends with the process: nothing waits for it.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (taken, answer) = (Arc::clone(&taken), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream.unwrap(), &taken, &*answer));
            }
        });
        Self { address, asked }
    }

    /// Files of a folder, with a long poll on manifests.
    fn of(folder: PathBuf) -> Self {
        Self::new(move |path, head| {
            let tag =
                |bytes: &[u8]| format!("\"{}\"", countersign_ruleset::digest::Digest::of(bytes));
            let path = folder.join(path.trim_start_matches("/v1/"));
            loop {
                let Ok(bytes) = fs::read(&path) else {
                    return response("404 Not Found", "", b"");
                };
                let is_known = head.contains(&tag(&bytes));
                if is_known && head.contains("prefer: wait=") {
                    std::thread::sleep(Duration::from_millis(5));
                    continue;
                }
                if is_known {
                    return response("304 Not Modified", "", b"");
                }
                let fields = format!("etag: {}\r\npreference-applied: wait=50\r\n", tag(&bytes));
                return response("200 OK", &fields, &bytes);
            }
        })
    }

    fn endpoint(&self) -> Endpoint {
        format!("http://{}/", self.address).parse().unwrap()
    }

    pub(in crate::load) fn asked(&self, what: &str) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap();
        let all = asked.iter().filter(|(path, _)| path.contains(what));
        all.cloned().collect()
    }
}

fn serve(
    mut stream: TcpStream,
    taken: &Mutex<Vec<Asked>>,
    answer: &(impl Fn(&str, &str) -> Vec<u8> + ?Sized),
) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let Some(Ok(first)) = lines.next() else {
        return;
    };
    let path = first.split(' ').nth(1).unwrap().to_owned();
    let mut head = String::new();
    for line in lines
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
    {
        head.push_str(&line.to_lowercase());
        head.push('\n');
    }
    taken.lock().unwrap().push((path.clone(), head.clone()));
    // The client may have read enough and gone.
    let _ = stream.write_all(&answer(&path, &head));
}

pub(in crate::load) fn response(status: &str, fields: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\n{fields}content-length: {length}\r\nconnection: close\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn shop() -> Scope {
    "shop".parse().unwrap()
}

fn ask<T>(asking: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(asking)
}

/// What is signed anew names the same blobs, which are not fetched again; what is in force is told.
#[test]
fn a_ruleset_that_is_signed_anew_costs_its_manifest_alone() {
    let disk = Disk::new();
    disk.publish(1, 0);
    let server = Server::of(disk.folder.path().join("published"));
    let places = vec![Place::Https(server.endpoint())];
    let (mut loader, enforcer) = disk.start_with(places, NOW);
    let (seen, serials) = mpsc::channel();
    let gate = Arc::get_mut(&mut loader.gate).unwrap();
    gate.tell(Arc::new(move |report: &Report| {
        if let News::InForce { serial } = report.news {
            let _ = seen.send(serial);
        }
    }));
    let running = watch(loader, || NOW, Duration::from_hours(1)).unwrap();
    let patience = Duration::from_secs(20);
    assert_eq!(serials.recv_timeout(patience), Ok(1));
    assert!(enforcer.is_ready(NOW));
    assert_eq!(server.asked("/blobs/").len(), 2);
    disk.publish(2, 0);
    assert_eq!(serials.recv_timeout(patience), Ok(2));
    assert_eq!(server.asked("/blobs/").len(), 2, "they are at hand");
    disk.publish_of(3, 0, "r3");
    assert_eq!(serials.recv_timeout(patience), Ok(3));
    assert_eq!(server.asked("/blobs/").len(), 3, "the keys are the same");
    drop(running);
    let told = |order: &str| {
        let line = format!("countersign-in-force: {order}\n");
        let all = server.asked("/v1/shop/manifest.json");
        all.iter().any(|(_, head)| head.contains(&line))
    };
    assert!(told("1:1") && told("1:2"));
}

/// A token is for the server that was named, and whoever it points to is somebody else.
#[test]
fn a_redirect_is_not_followed_and_nobody_else_is_told_the_token() {
    let other = Server::new(|_, _| response("200 OK", "", b"mine"));
    let to = format!("location: http://{}/\r\n", other.address);
    let server = Server::new(move |_, _| response("302 Found", &to, b""));
    let folder = tempfile::tempdir().unwrap();
    let mut endpoint = server.endpoint();
    endpoint.token = Some(folder.path().join("token"));
    let http = Http::new(endpoint);
    let mut known = Known::default();
    let fetch = |known: &mut Known| ask(http.fetch(&shop(), &Wanted::Trust(2), known));
    let Fetched::Failed(missing) = fetch(&mut known) else {
        panic!("it was asked without a token");
    };
    assert!(missing.contains("token"), "{missing}");
    assert!(
        server.asked("/").is_empty(),
        "without a token nothing is asked"
    );
    fs::write(folder.path().join("token"), "secret").unwrap();
    let Fetched::Failed(reason) = fetch(&mut known) else {
        panic!("it was followed");
    };
    assert!(reason.contains("redirects are not followed"), "{reason}");
    let asked = server.asked("/v1/trust/2.json");
    assert!(
        asked[0].1.contains("authorization: bearer secret"),
        "{asked:?}"
    );
    assert!(other.asked("").is_empty());
}

#[test]
fn too_much_is_not_held_and_what_breaks_off_is_no_answer() {
    let server = Server::new(|path, _| {
        if path.ends_with("2.json") {
            return response("200 OK", "", &vec![b'{'; 1 << 20]);
        }
        let mut whole = response("200 OK", "", b"0123456789");
        whole.truncate(whole.len() - 5);
        whole
    });
    let http = Http::new(server.endpoint());
    let mut known = Known::default();
    let wanted = Wanted::Trust(2);
    let Fetched::Bytes(bytes) = ask(http.fetch(&shop(), &wanted, &mut known)) else {
        panic!("nothing was read");
    };
    assert_eq!(u64::try_from(bytes.len()).unwrap(), wanted.most());
    let half = ask(http.fetch(&shop(), &Wanted::Trust(3), &mut known));
    assert!(matches!(half, Fetched::Failed(_)), "{half:?}");
}

/// A server that knows nothing of waiting must not be asked at once again.
#[test]
fn a_server_that_does_not_wait_is_told_apart() {
    let server = Server::new(|_, head| {
        if head.contains("if-none-match: \"1\"") {
            return response("304 Not Modified", "", b"");
        }
        response("200 OK", "etag: \"1\"\r\n", b"manifest")
    });
    let http = Http::new(server.endpoint());
    let mut known = Known::default();
    let manifest = ask(http.fetch(&shop(), &Wanted::Manifest, &mut known));
    assert_eq!(manifest, Fetched::Bytes(b"manifest".to_vec()));
    let waited = ask(http.wait(&shop(), &mut known, None));
    assert_eq!(waited, Waited::Unheld);
    // the answer of the wait is that of the next look
    let before = server.asked("manifest").len();
    assert_eq!(
        ask(http.fetch(&shop(), &Wanted::Manifest, &mut known)),
        manifest
    );
    assert_eq!(server.asked("manifest").len(), before);
}
