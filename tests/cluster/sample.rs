//! A service to stand behind an edge in a pod, and a caller of it in another.
//!
//! `--listen=ADDR` answers with the path, and whether it was told the caller's token. `--call=ADDR
//! --token=FILE` says what the answer begins with.

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let said = |name| arguments.iter().find_map(|it| it.strip_prefix(name));
    match (said("--listen="), said("--call="), said("--token=")) {
        (Some(address), None, None) => serve(address),
        (None, Some(address), Some(file)) => call(address, file),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

fn serve(address: &str) -> io::Result<()> {
    for stream in TcpListener::bind(address)?.incoming() {
        let stream = stream?;
        // A connection that breaks is the other side's affair.
        thread::spawn(move || answer(&stream));
    }
    Ok(())
}

/// One request, without a body, and the connection's end.
fn answer(mut stream: &TcpStream) -> io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut told = false;
    for line in lines {
        let line = line?.to_ascii_lowercase();
        told |= line.starts_with("authorization:");
        if line.is_empty() {
            break;
        }
    }
    let body = format!("orders {path} token={told}\n");
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

fn call(address: &str, file: &str) -> io::Result<()> {
    let token = fs::read_to_string(file)?;
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "GET /v1/orders HTTP/1.1\r\nhost: orders\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n"
    )?;
    let mut first = String::new();
    BufReader::new(stream).read_line(&mut first)?;
    io::stdout().write_all(first.as_bytes())
}
