//! One kind's stream: listed, watched, and listed anew after whatever went wrong.
//!
//! A watch could go on from where it was. But an API server whose etcd was restored from an older
//! snapshot takes such a watch and says nothing for as long as its versions are below: so after an
//! error all is listed again. A version that is too old (410) is one of these errors.

use crate::publication::said;
use futures::StreamExt;
use kube::api::Api;
use kube::runtime::watcher::{self, Config, Event, watcher};
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long until a kind that there is not is looked for again.
const ABSENT: Duration = Duration::from_secs(5);

/// How long until the first new attempt, and at most.
const FIRST: Duration = Duration::from_millis(250);
const MOST: Duration = Duration::from_secs(30);

/// What happened to the objects of a kind.
#[derive(Debug)]
pub(super) enum Change<K> {
    /// These are all.
    All(Vec<K>),
    /// The API server has no such kind.
    Absent,
    /// An object is new, or has changed.
    Put(K),
    /// An object is gone.
    Gone(K),
    /// It cannot be watched for now, and why.
    Broken(String),
}

impl<K> Change<K> {
    /// The same of something else; `None` if nothing is left.
    pub(super) fn map<T>(self, object: impl Fn(K) -> Option<T>) -> Option<Change<T>> {
        Some(match self {
            Self::All(all) => Change::All(all.into_iter().filter_map(object).collect()),
            Self::Absent => Change::Absent,
            Self::Put(one) => Change::Put(object(one)?),
            Self::Gone(one) => Change::Gone(object(one)?),
            Self::Broken(why) => Change::Broken(why),
        })
    }
}

/// How an attempt ended.
#[derive(Debug)]
enum End {
    /// Nobody listens any more.
    Unheard,
    Absent,
    Failed {
        /// Whether all was listed first.
        listed: bool,
        why: String,
    },
}

/// Follows one kind, until nobody listens.
pub(super) async fn follow<K, T>(
    api: Api<K>,
    config: Config,
    tell: mpsc::Sender<T>,
    news: impl Fn(Change<K>) -> Option<T>,
) where
    K: kube::Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let mut wait = FIRST;
    loop {
        let (change, pause) = match attempt(&api, &config, &tell, &news).await {
            End::Unheard => return,
            End::Absent => (Change::Absent, ABSENT),
            End::Failed { listed, why } => {
                wait = if listed { FIRST } else { next(wait) };
                (Change::Broken(why), wait)
            }
        };
        if let Some(news) = news(change)
            && tell.send(news).await.is_err()
        {
            return;
        }
        tokio::time::sleep(pause).await;
    }
}

fn next(wait: Duration) -> Duration {
    wait.saturating_mul(2).min(MOST)
}

/// One list and the watch that follows, until something goes wrong.
async fn attempt<K, T>(
    api: &Api<K>,
    config: &Config,
    tell: &mpsc::Sender<T>,
    news: &impl Fn(Change<K>) -> Option<T>,
) -> End
where
    K: kube::Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let mut events = pin!(watcher(api.clone(), config.clone()));
    let mut all = Vec::new();
    let mut listed = false;
    while let Some(event) = events.next().await {
        let change = match event {
            Ok(Event::Init) => {
                all = Vec::new();
                continue;
            }
            Ok(Event::InitApply(object)) => {
                all.push(object);
                continue;
            }
            Ok(Event::InitDone) => {
                listed = true;
                Change::All(std::mem::take(&mut all))
            }
            Ok(Event::Apply(object)) => Change::Put(object),
            Ok(Event::Delete(object)) => Change::Gone(object),
            Err(error) if is_absent(&error) => return End::Absent,
            Err(error) => {
                let why = why(&error);
                return End::Failed { listed, why };
            }
        };
        if let Some(news) = news(change)
            && tell.send(news).await.is_err()
        {
            return End::Unheard;
        }
    }
    let why = "the watch ended".to_owned();
    End::Failed { listed, why }
}

/// What an error says, in one line.
fn why(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => said(error),
        watcher::Error::WatchError(status) => format!("{} ({})", status.message, status.code),
        watcher::Error::NoResourceVersion => error.to_string(),
    }
}

/// Whether the API server says that there is no such kind.
fn is_absent(error: &watcher::Error) -> bool {
    let (watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error)) =
        error
    else {
        return false;
    };
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

#[cfg(test)]
mod tests {
    use super::{FIRST, MOST, next};

    #[test]
    fn attempts_become_rarer_and_never_cease() {
        assert_eq!(next(FIRST), FIRST * 2);
        assert_eq!(next(MOST), MOST);
    }
}
