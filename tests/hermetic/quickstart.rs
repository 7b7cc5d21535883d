//! `countersign dev` on the example that comes first: what it prints is what happens.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tests::files;
use tests::program::{Program, within};
use tests::wire::{Answer, Caller, Version};

/// A request that was printed, with what it said would come of it.
#[derive(Debug, Clone)]
struct Printed {
    says: String,
    method: String,
    /// Headers, or `@` and a file with them.
    headers: Vec<String>,
    url: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_printed_is_what_happens_and_an_edit_is_in_force_within_a_second() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let example = folder.path().join("quickstart");
    copy(&files::root().join("examples/quickstart"), &example)?;
    let arguments = ["dev", "quickstart", "--listen", "127.0.0.1:0"];
    let mut dev = Program::start("countersign", &arguments, folder.path())?;
    // one of each kind is shown
    let kinds = [
        "200 Allowed by AccessPolicy/orders/admins",
        "200 Allowed by AccessPolicy/orders/health",
        "401 NoToken",
        "403 NoRuleMatched",
        "403 BoundaryNotMet",
        "403 DeniedByRule by ClusterAccessPolicy",
        "403 DeniedByRule by AccessPolicy",
    ];
    let printed = dev.says("what to try", |text| {
        let printed = printed(text);
        let shows = |kind: &&str| printed.iter().any(|one| one.says.contains(kind));
        kinds.iter().all(shows).then_some(printed)
    });
    let printed = printed.await?;
    for one in &printed {
        let (status, reason) = one.promised()?;
        let answer = one.send().await?;
        assert_eq!(answer.status.as_u16(), status, "{one:?}");
        if status != 200 {
            assert_eq!(answer.problem("reason"), reason, "{one:?}");
        }
    }
    edit(&dev, &example, &printed).await?;
    dev.signal("INT").await?;
    let status = dev.end().await?;
    ensure!(status.code() == Some(0), "{status}: {}", dev.text());
    Ok(())
}

async fn edit(dev: &Program, example: &Path, printed: &[Printed]) -> Result<()> {
    let by = |rule: &str, who: &str| {
        let mut all = printed.iter();
        all.find(|one| one.says.contains(rule) && one.says.contains(who))
            .cloned()
    };
    let admin = by("AccessPolicy/orders/admins", "(okta").context("who is an administrator")?;
    let health = by("AccessPolicy/orders/health", "nobody").context("what is public")?;
    let orders = example.join("orders.yaml");
    let written = fs::read_to_string(&orders)?;
    // another path: within a second, and back
    fs::write(
        &orders,
        written.replace("paths: [/admin/**]", "paths: [/office/**]"),
    )?;
    admin.becomes(403).await?;
    fs::write(&orders, &written)?;
    admin.becomes(200).await?;
    // a misspelt field: told where and how it is spelt, and only what stands there gives nothing
    let broken = written.replace("paths: [/admin/**]", "pahts: [/admin/**]");
    let line = broken
        .lines()
        .position(|line| line.contains("pahts"))
        .context("the line")?
        + 1;
    fs::write(&orders, &broken)?;
    admin.becomes(403).await?;
    ensure!(health.send().await?.status == 200, "the rest goes on");
    dev.says("where", |text| {
        text.contains(&format!("orders.yaml:{line}:")).then_some(())
    })
    .await?;
    dev.says("how it is spelt", |text| {
        text.contains("did you mean `paths`?").then_some(())
    })
    .await?;
    // what cannot be read changes nothing
    fs::write(&orders, &written)?;
    admin.becomes(200).await?;
    fs::write(&orders, "kind: [\n")?;
    dev.says("that nothing changes", |text| {
        text.contains("what was in force stays in force")
            .then_some(())
    })
    .await?;
    ensure!(admin.send().await?.status == 200, "what was in force stays");
    Ok(())
}

/// The comment and the command of each request.
fn printed(text: &str) -> Vec<Printed> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let pairs = lines.windows(2).filter(|pair| pair[0].starts_with("# "));
    pairs
        .filter_map(|pair| Printed::read(pair[0], pair[1]))
        .collect()
}

impl Printed {
    /// Reads `curl -X POST -H 'Host: …' -H '@FILE' 'URL'`.
    fn read(comment: &str, command: &str) -> Option<Self> {
        let mut words = words(command.strip_prefix("curl ")?).into_iter();
        let mut read = Self {
            says: comment.to_owned(),
            method: "GET".to_owned(),
            headers: Vec::new(),
            url: String::new(),
        };
        while let Some(word) = words.next() {
            match word.as_str() {
                "-I" => "HEAD".clone_into(&mut read.method),
                "-X" => read.method = words.next()?,
                "-H" => read.headers.push(words.next()?),
                _ => read.url = word,
            }
        }
        (!read.url.is_empty()).then_some(read)
    }

    /// `403 NoRuleMatched`, after the caller and before the rules.
    fn promised(&self) -> Result<(u16, String)> {
        let words = self.says.split([' ', ':', '.']).collect::<Vec<_>>();
        let mut pairs = words.windows(2);
        let found = pairs.find_map(|pair| Some((pair[0].parse().ok()?, pair[1].to_owned())));
        found.with_context(|| self.says.clone())
    }

    async fn send(&self) -> Result<Answer> {
        let mut request = Request::builder()
            .method(self.method.as_str())
            .uri(&self.url);
        for header in &self.headers {
            let lines = match header.strip_prefix('@') {
                Some(file) => fs::read_to_string(file)?,
                None => header.clone(),
            };
            for line in lines.lines() {
                let (name, value) = line.split_once(": ").context("a header")?;
                request = request.header(name, value);
            }
        }
        fetched(&request.body(Full::default())?).await
    }

    /// Waits until it is answered so: a second at most.
    async fn becomes(&self, status: u16) -> Result<()> {
        within(
            Duration::from_secs(1),
            &format!("{status} for {self:?}"),
            async || {
                let answer = self.send().await.ok()?;
                (answer.status == status).then_some(())
            },
        )
        .await
    }
}

/// Words as a shell parts them, where nothing but quotes is special.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in text.chars() {
        match letter {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            letter => words.last_mut().expect("a word").push(letter),
        }
    }
    words
}

async fn fetched(request: &Request<Full<Bytes>>) -> Result<Answer> {
    let address: SocketAddr = request
        .uri()
        .authority()
        .context("an address")?
        .as_str()
        .parse()?;
    Caller::new(address, Version::H1)
        .send(request.clone())
        .await
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
