//! The audit log: one line a decision, written off the request's path.
//!
//! ```text
//! exchange ─► Entry ─► queue (bounded) ─► thread ─┬─► writer   one JSON object a line
//!                                                 └─► recent   the last ones, for the admin socket
//! ```
//!
//! A record has no field for a token, a cookie or a query string, so none can get there.

use crate::metrics::Metrics;
use record::Record;
use std::collections::VecDeque;
use std::io::{self, BufWriter, Write};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

mod line;
mod record;

pub(crate) use record::Entry;

/// How long a stop waits for the last lines: a log that is stuck must not hold the edge.
const LAST_LINES: Duration = Duration::from_secs(5);

/// The way to the log. When it is dropped, what was decided is written.
#[derive(Debug)]
pub(crate) struct Audit {
    queue: Option<SyncSender<Box<Record>>>,
    written: Mutex<Receiver<()>>,
    metrics: Arc<Metrics>,
    recent: Recent,
}

impl Audit {
    /// Starts the thread that writes; at most `queue` decisions wait for it, and `recent` are kept.
    ///
    /// # Errors
    /// If no thread can be had.
    pub(crate) fn start(
        writer: Box<dyn Write + Send>,
        queue: usize,
        recent: usize,
        metrics: Arc<Metrics>,
    ) -> io::Result<Self> {
        let (queue, received) = sync_channel(queue.max(1));
        let (done, written) = channel();
        let recent = Recent::new(recent);
        let log = Log {
            writer: BufWriter::new(writer),
            recent: recent.clone(),
            metrics: Arc::clone(&metrics),
            broken: false,
        };
        std::thread::Builder::new()
            .name("audit".into())
            .spawn(move || {
                log.run(&received);
                drop(done);
            })?;
        Ok(Self {
            queue: Some(queue),
            written: Mutex::new(written),
            metrics,
            recent,
        })
    }

    /// Has a decision written down. A log that cannot keep up must not slow down whom it logs: then
    /// the line is lost, and counted.
    pub(crate) fn record(&self, entry: Entry) {
        let record = Box::new(Record::of(entry));
        let queue = self.queue.as_ref();
        if queue.is_none_or(|queue| queue.try_send(record).is_err()) {
            self.metrics.audit_dropped.inc();
        }
    }

    /// The last decisions.
    pub(crate) const fn recent(&self) -> &Recent {
        &self.recent
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        self.queue = None; // the thread ends when it has written what waits
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        // Nothing is ever sent: it returns when the thread has ended, or when it takes too long.
        let _ = written.recv_timeout(LAST_LINES);
    }
}

/// What the thread has.
struct Log {
    writer: BufWriter<Box<dyn Write + Send>>,
    recent: Recent,
    metrics: Arc<Metrics>,
    broken: bool,
}

impl Log {
    fn run(mut self, received: &Receiver<Box<Record>>) {
        while let Ok(first) = received.recv() {
            self.write(&first);
            while let Ok(next) = received.try_recv() {
                self.write(&next);
            }
            let flushed = self.writer.flush();
            self.note(flushed);
        }
    }

    fn write(&mut self, record: &Record) {
        let Ok(line) = line::of(record) else {
            self.metrics.audit_dropped.inc();
            return;
        };
        let written = writeln!(self.writer, "{line}");
        self.recent.push(line.into());
        self.note(written);
    }

    fn note(&mut self, written: io::Result<()>) {
        if let Err(error) = written {
            self.metrics.audit_dropped.inc();
            if !self.broken {
                tracing::error!(%error, "audit lines cannot be written");
            }
            self.broken = true;
        }
    }
}

/// The last lines, as they were written.
#[derive(Debug, Clone)]
pub(crate) struct Recent {
    most: usize,
    lines: Arc<Mutex<VecDeque<Arc<str>>>>,
}

impl Recent {
    fn new(most: usize) -> Self {
        Self {
            most,
            lines: Arc::default(),
        }
    }

    fn push(&self, line: Arc<str>) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push_back(line);
        while lines.len() > self.most {
            lines.pop_front();
        }
    }

    /// They, oldest first.
    pub(crate) fn lines(&self) -> Vec<Arc<str>> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().cloned().collect()
    }
}
