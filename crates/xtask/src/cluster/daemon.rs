//! A process that outlives whoever started it: recorded by id and name, and ended by both.

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything is waited for. Nothing takes so long but what never comes.
const DEADLINE: Duration = Duration::from_mins(1);

/// How much of a name the kernel keeps.
const KEPT: usize = 15;

/// One of a cluster's processes, by its name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Daemon<'a> {
    /// The cluster's folder.
    pub(super) folder: &'a Path,
    /// What it is called.
    pub(super) name: &'a str,
    /// What its process is called.
    pub(super) process: &'a str,
}

impl Daemon<'_> {
    /// Starts it in the folder, holding none of our pipes but what it is given.
    ///
    /// # Errors
    /// If it runs already, or cannot be started.
    pub(super) fn start(self, command: &mut Command, stdin: Stdio) -> Result<()> {
        if self.runs() {
            bail!("{} runs already in {}", self.name, self.folder.display());
        }
        let log = File::options().create(true).append(true).open(self.log());
        let log = log.with_context(|| self.name.to_owned())?;
        command
            .current_dir(self.folder)
            .stdin(stdin)
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0); // an interrupt at the terminal is not for it
        let mut child = command.spawn().with_context(|| self.name.to_owned())?;
        fs::write(self.record(), child.id().to_string())?;
        // Whoever started a process must hear of its end, or a dead one stays in the list.
        thread::spawn(move || child.wait());
        Ok(())
    }

    /// Kills it, and waits until it is gone.
    ///
    /// # Errors
    /// If it cannot be killed.
    pub(super) fn stop(self) -> Result<()> {
        let Some(pid) = self.pid().filter(|_| self.runs()) else {
            return Ok(());
        };
        kill_process(pid, Signal::KILL).with_context(|| self.name.to_owned())?;
        let gone = within(DEADLINE, || Ok((!self.runs()).then_some(())))?;
        gone.with_context(|| format!("{} does not end", self.name))?;
        fs::remove_file(self.record()).with_context(|| self.name.to_owned())
    }

    /// Whether it runs: the recorded process lives and has its name still.
    pub(super) fn runs(self) -> bool {
        let Some(pid) = self.pid() else { return false };
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
        // `PID (NAME) STATE …`; what has ended and is not yet waited for is Z.
        let Some((name, rest)) = stat.as_deref().ok().and_then(|stat| stat.rsplit_once(')')) else {
            return false;
        };
        let name = name.split_once('(').map_or("", |(_, name)| name);
        let ours: String = self.process.chars().take(KEPT).collect();
        name == ours && !rest.trim_start().starts_with(['Z', 'X'])
    }

    /// Asks again and again until it is ready, as long as it runs.
    ///
    /// # Errors
    /// If it ends, or is not ready before the deadline; with the last that it said.
    pub(super) fn ready(self, mut ask: impl FnMut() -> bool) -> Result<()> {
        let answer = within(DEADLINE, || {
            if ask() {
                return Ok(Some(()));
            }
            if !self.runs() {
                bail!("{} ended:\n{}", self.name, self.last_words());
            }
            Ok(None)
        })?;
        answer.with_context(|| format!("{} is not ready:\n{}", self.name, self.last_words()))
    }

    fn last_words(self) -> String {
        let said = fs::read(self.log()).unwrap_or_default();
        let said = String::from_utf8_lossy(&said).into_owned();
        let mut last: Vec<&str> = said.lines().rev().take(30).collect();
        last.reverse();
        last.join("\n")
    }

    fn pid(self) -> Option<Pid> {
        let recorded = fs::read_to_string(self.record()).ok()?;
        Pid::from_raw(recorded.trim().parse().ok()?)
    }

    fn record(self) -> PathBuf {
        self.folder.join(format!("{}.pid", self.name))
    }

    fn log(self) -> PathBuf {
        self.folder.join(format!("{}.log", self.name))
    }
}

/// Asks again and again, until there is an answer or it is too late.
fn within<T>(deadline: Duration, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<Option<T>> {
    let began = Instant::now();
    loop {
        let answer = ask()?;
        if answer.is_some() || began.elapsed() > deadline {
            return Ok(answer);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn sleeper(folder: &Path) -> Daemon<'_> {
        Daemon {
            folder,
            name: "sleeper",
            process: "sleep",
        }
    }

    #[test]
    fn what_is_started_runs_until_it_is_stopped() {
        let folder = TempDir::new().unwrap();
        let sleeper = sleeper(folder.path());
        assert!(!sleeper.runs());
        let mut command = Command::new("sleep");
        command.arg("1000");
        sleeper.start(&mut command, Stdio::null()).unwrap();
        assert!(sleeper.runs());
        let again = sleeper.start(&mut command, Stdio::null()).unwrap_err();
        assert!(again.to_string().starts_with("sleeper runs already"));
        sleeper.stop().unwrap();
        assert!(!sleeper.runs());
        sleeper.stop().unwrap();
    }

    /// The id may be another's by now.
    #[test]
    fn another_with_the_recorded_id_is_left_alone() {
        let folder = TempDir::new().unwrap();
        let sleeper = sleeper(folder.path());
        fs::write(sleeper.record(), std::process::id().to_string()).unwrap();
        assert!(!sleeper.runs());
        sleeper.stop().unwrap();
    }

    #[test]
    fn what_ends_at_once_is_told_with_its_last_words() {
        let folder = TempDir::new().unwrap();
        let sleeper = sleeper(folder.path());
        let mut command = Command::new("sleep");
        command.arg("no-number");
        sleeper.start(&mut command, Stdio::null()).unwrap();
        let error = sleeper.ready(|| false).unwrap_err().to_string();
        assert!(error.starts_with("sleeper ended:"), "{error}");
        assert!(error.contains("no-number"), "{error}");
    }
}
