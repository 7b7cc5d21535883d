//! A real program of ours in a process of its own: what it says, how it is told to stop, how it ends.

use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};

/// How long anything is waited for. Nothing takes so long but what never comes.
const DEADLINE: Duration = Duration::from_secs(30);

/// A program that runs. It is killed when this is dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    said: Said,
}

/// What a program that has ended has said.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// Both streams.
    pub fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

type Said = Arc<Mutex<Vec<(Stream, String)>>>;

/// Where a line was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

impl Program {
    /// Starts it in a folder.
    ///
    /// # Errors
    /// If it is not built, or does not start.
    pub fn start(name: &str, arguments: &[&str], folder: &Path) -> Result<Self> {
        Self::start_with(name, arguments, folder, &[])
    }

    /// The same, with variables of its own.
    ///
    /// # Errors
    /// If it is not built, or does not start.
    pub fn start_with(
        name: &str,
        arguments: &[&str],
        folder: &Path,
        variables: &[(&str, &str)],
    ) -> Result<Self> {
        let mut command = command(name, arguments, folder)?;
        command.envs(variables.iter().copied());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .kill_on_drop(true)
            .spawn()
            .context(name.to_owned())?;
        let said = Said::default();
        if let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) {
            listen(Stream::Out, out, &said);
            listen(Stream::Err, err, &said);
        }
        Ok(Self {
            name: name.to_owned(),
            child,
            said,
        })
    }

    /// The number of its process, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// All lines of a stream until now.
    pub fn lines(&self, of: Stream) -> Vec<String> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.iter()
            .filter(|(stream, _)| *stream == of)
            .map(|(_, line)| line.clone())
            .collect()
    }

    /// All that it said until now, on both streams.
    pub fn text(&self) -> String {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.iter()
            .flat_map(|(_, line)| [line.as_str(), "\n"])
            .collect()
    }

    /// Waits until what it has said has something.
    ///
    /// # Errors
    /// If it does not say so before the deadline.
    pub async fn says<T>(&self, what: &str, find: impl Fn(&str) -> Option<T>) -> Result<T> {
        let found = until(what, async || find(&self.text())).await;
        found.with_context(|| format!("{} said:\n{}", self.name, self.text()))
    }

    /// Sends it a signal: `TERM`, `INT`.
    ///
    /// # Errors
    /// If it has ended, or the signal cannot be sent.
    pub async fn signal(&self, signal: &str) -> Result<()> {
        let id = self.child.id().context("it has ended")?;
        let script = format!("kill -{signal} {id}");
        let status = Command::new("sh").args(["-c", &script]).status().await?;
        ensure!(status.success(), "`{script}`: {status}");
        Ok(())
    }

    /// Waits until it ends.
    ///
    /// # Errors
    /// If it does not end before the deadline.
    pub async fn end(&mut self) -> Result<ExitStatus> {
        let ended = tokio::time::timeout(DEADLINE, self.child.wait()).await;
        let ended = ended.with_context(|| format!("{} does not end:\n{}", self.name, self.text()));
        Ok(ended??)
    }
}

/// Runs a program to its end.
///
/// # Errors
/// If it is not built, does not start, or does not end before the deadline.
pub async fn run(name: &str, arguments: &[&str], folder: &Path) -> Result<Ran> {
    let mut command = command(name, arguments, folder)?;
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(DEADLINE, command.output()).await;
    let output = output.with_context(|| format!("{name} {arguments:?} does not end"))??;
    Ok(Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout)?,
        stderr: String::from_utf8(output.stderr)?,
    })
}

/// Asks again and again, until there is an answer.
///
/// # Errors
/// If there is none before the deadline.
pub async fn until<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> Result<T> {
    within(DEADLINE, what, ask).await
}

/// The same, with a deadline of one's own.
///
/// # Errors
/// If there is no answer before the deadline.
pub async fn within<T>(
    deadline: Duration,
    what: &str,
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return Ok(answer);
        }
        if begun.elapsed() > deadline {
            bail!("{what}: not within {deadline:?}");
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The variables of whoever runs the tests are not the program's.
fn command(name: &str, arguments: &[&str], folder: &Path) -> Result<Command> {
    let mut command = Command::new(built(name)?);
    command.args(arguments).current_dir(folder).env_clear();
    command.envs(std::env::vars_os().filter(|(name, _)| name == "PATH"));
    Ok(command)
}

/// `target/PROFILE/NAME`, two folders above this test.
pub fn built(name: &str) -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let profile = test
        .parent()
        .and_then(Path::parent)
        .context("the target folder")?;
    let program = profile.join(name);
    ensure!(
        program.is_file(),
        "{} is not built: run `cargo xtask test`",
        program.display()
    );
    Ok(program)
}

fn listen(stream: Stream, from: impl AsyncRead + Unpin + Send + 'static, said: &Said) {
    let said = Arc::clone(said);
    tokio::spawn(async move {
        let mut lines = BufReader::new(from).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            said.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((stream, line));
        }
    });
}
