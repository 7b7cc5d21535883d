//! A stand-in for the cluster's DNS, for the one name that a pod is to find.

use anyhow::{Context, Result};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// Where it answers: among the addresses of Services, as the cluster's own would.
pub(super) const SERVER: &str = "127.96.0.10";

/// How many bytes stand before the question (RFC 1035 §4.1.1).
const HEADER: usize = 12;

/// The name and its address are told until this is dropped.
#[derive(Debug)]
pub(super) struct Told {
    address: Arc<Mutex<Ipv4Addr>>,
    telling: JoinHandle<()>,
}

impl Told {
    /// Tells that a name has an address; of any other, that there is none.
    pub(super) async fn start(name: &str, address: &str) -> Result<Self> {
        let address = Arc::new(Mutex::new(address.parse()?));
        let told = Arc::clone(&address);
        let labels = name.split('.').flat_map(|label| {
            let length = u8::try_from(label.len()).expect("a label is short");
            [&[length][..], label.as_bytes()].concat()
        });
        let name: Vec<u8> = labels.chain([0]).collect();
        let socket = UdpSocket::bind((SERVER, 53)).await.context(SERVER)?;
        let telling = tokio::spawn(async move {
            let mut asked = [0; 512];
            while let Ok((length, whom)) = socket.recv_from(&mut asked).await {
                let address = *told.lock().expect("nobody panics with it");
                if let Some(answer) = answer(&asked[..length], &name, address) {
                    let _ = socket.send_to(&answer, whom).await;
                }
            }
        });
        Ok(Self { address, telling })
    }

    /// From now on it has another.
    pub(super) fn moved(&self, address: &str) -> Result<()> {
        *self.address.lock().expect("nobody panics with it") = address.parse()?;
        Ok(())
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.telling.abort();
    }
}

/// The answer to a message with one question.
fn answer(asked: &[u8], name: &[u8], address: Ipv4Addr) -> Option<Vec<u8>> {
    let question = asked.get(HEADER..)?;
    let end = question.iter().position(|byte| *byte == 0)? + 1;
    let (asked_of, kind) = (&question[..end], question.get(end..end + 4)?);
    let known = asked_of.eq_ignore_ascii_case(name);
    let has_address = known && kind == [0, 1, 0, 1]; // A, IN
    let mut answer = asked[..2].to_vec();
    // It answers, with authority, whether or not it was asked for more; there is no such name: 3.
    answer.extend([0x85, if known { 0x80 } else { 0x83 }]);
    answer.extend([0, 1, 0, u8::from(has_address), 0, 0, 0, 0]);
    answer.extend(&question[..end + 4]);
    if has_address {
        // the name in question, A, IN, for a second, four bytes
        answer.extend([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4]);
        answer.extend(address.octets());
    }
    Some(answer)
}

#[test]
fn a_name_is_told_and_no_other() {
    let asked = |name: &[u8]| [&[7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0], name, &[0, 1, 0, 1]].concat();
    let of = |name: &[u8]| {
        answer(
            &asked(name),
            b"\x01a\x01b\x00",
            Ipv4Addr::new(127, 96, 0, 1),
        )
    };
    let told = of(b"\x01A\x01b\x00").expect("an answer");
    assert!(told.ends_with(&[0, 4, 127, 96, 0, 1]), "{told:?}");
    let none = of(b"\x01a\x01c\x00").expect("an answer");
    assert_eq!((none[3] & 15, none[7]), (3, 0), "{none:?}");
    assert_eq!(answer(b"short", b"\x00", Ipv4Addr::LOCALHOST), None);
}
