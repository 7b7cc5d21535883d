//! `countersign dev` as a program: what it says to try does what it says, and a change is in force at once.

use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Longer than anything takes, on any machine.
const PATIENCE: Duration = Duration::from_mins(1);

struct Dev {
    child: Child,
    events: Receiver<Value>,
    folder: tempfile::TempDir,
}

impl Dev {
    /// Starts it over a copy of the quickstart.
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let quickstart = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/quickstart");
        for entry in fs::read_dir(quickstart).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
        let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["dev", "--listen", "127.0.0.1:0", "--output", "json"])
            .arg(folder.path())
            .env_clear()
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (tell, events) = channel();
        // It ends with the program's output.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let event =
                    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                if tell.send(event).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            events,
            folder,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn edit(&self, name: &str, from: &str, to: &str) {
        let path = self.path(name);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    /// The next event of which this holds.
    fn wait(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let event = self.events.recv_timeout(PATIENCE).unwrap();
            if wanted(&event) {
                return event;
            }
        }
    }

    fn event(&self, name: &str) -> Value {
        self.wait(|event| event["event"] == name)
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The status and the body of an answer.
fn call(base: &str, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(base.trim_start_matches("http://")).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    (status, body)
}

fn token(issuer: &str, name: &str, provider: &str) -> String {
    let host = issuer.trim_start_matches("http://");
    let path = format!("/token?as={name}&provider={provider}");
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    let (status, body) = call(issuer, &request);
    assert_eq!(status, 200, "{body}");
    body
}

/// Sends what is to be tried. Says the status.
fn attempt(started: &Value, one: &Value) -> u16 {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (edge, issuer) = (text(&started["edge"]), text(&started["issuer"]));
    let mut request = format!(
        "{} {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
        text(&one["method"]),
        text(&one["path"]),
        text(&one["host"])
    );
    if let Some(name) = one["as"].as_str() {
        let token = token(&issuer, name, one["provider"].as_str().unwrap());
        request = format!("{request}authorization: Bearer {token}\r\n");
    }
    call(&edge, &format!("{request}\r\n")).0
}

#[test]
fn what_it_says_to_try_does_what_it_says_and_a_change_is_in_force_at_once() {
    let dev = Dev::start();
    let started = dev.event("started");
    let in_force = dev.event("inForce");
    assert_eq!(in_force["scope"], "shop");
    let by = |rule: &str| {
        let wanted = format!("AccessPolicy/orders/{rule}");
        move |event: &Value| {
            let rules = event["rules"].as_array().into_iter().flatten();
            event["event"] == "try" && rules.into_iter().any(|rule| *rule == *wanted)
        }
    };
    let admin = dev.wait(by("admins"));
    assert_eq!(
        (attempt(&started, &admin), &admin["status"]),
        (200, &200.into())
    );
    let support = dev.wait(by("support"));
    assert_eq!(
        (attempt(&started, &support), &support["status"]),
        (200, &200.into())
    );
    let denied = dev.wait(by("nobody-deletes"));
    assert_eq!(
        (attempt(&started, &denied), &denied["status"]),
        (403, &403.into())
    );

    // a misspelt field takes away what its entry gave, and nothing else
    dev.edit(
        "roles.yaml",
        "groups: [order-admins]",
        "gruops: [order-admins]",
    );
    let found = dev.wait(|event| event["findings"].is_array());
    assert_eq!(found["findings"][0]["code"], "AP0001");
    assert!(
        found["findings"][0]["file"]
            .as_str()
            .unwrap()
            .ends_with("roles.yaml")
    );
    let after = dev.event("inForce");
    assert!(after["serial"].as_u64() > in_force["serial"].as_u64());
    assert_eq!(attempt(&started, &admin), 403);
    assert_eq!(attempt(&started, &support), 200);

    // a file that cannot be read changes nothing
    fs::write(dev.path("zz.yaml"), "kind: [").unwrap();
    dev.event("unreadable");
    assert_eq!(attempt(&started, &support), 200);
    fs::remove_file(dev.path("zz.yaml")).unwrap();

    // a namespace that is new has its place at once, at the same address
    let orders = fs::read_to_string(dev.path("orders.yaml")).unwrap();
    let wiki = orders
        .replace("namespace: shop", "namespace: ops")
        .replace("orders.example", "wiki.example");
    fs::write(dev.path("wiki.yaml"), wiki).unwrap();
    dev.wait(|event| event["event"] == "inForce" && event["scope"] == "ops");
    let health =
        dev.wait(|event| event["host"] == "wiki.example.com" && event["path"] == "/healthz");
    assert_eq!(attempt(&started, &health), 200);
}

#[test]
fn it_stops_when_it_is_told_to() {
    let mut dev = Dev::start();
    dev.event("inForce");
    let id = dev.child.id().to_string();
    let told = Command::new("kill").args(["-TERM", &id]).status().unwrap();
    assert!(told.success());
    assert_eq!(dev.child.wait().unwrap().code(), Some(0));
}

#[test]
fn an_address_that_is_taken_is_said_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let dev = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["dev", "--listen", &taken.local_addr().unwrap().to_string()])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/quickstart"))
        .env_clear()
        .output()
        .unwrap();
    assert_eq!(dev.status.code(), Some(2));
    let said = String::from_utf8(dev.stderr).unwrap();
    assert!(
        said.contains("name another address with --listen"),
        "{said}"
    );
}
