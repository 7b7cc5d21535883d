//! Tokens as `curl -H @FILE` reads them: minted, in a file each, so that none stands in a scrollback.

use super::issuer::Issuer;
use super::tries::Who;
use anyhow::{Context, Result};
use countersign_ruleset::time::UnixTime;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

/// The folder of them, which only this process's user reads. It goes with the installation's.
#[derive(Debug)]
pub(super) struct Tokens(PathBuf);

impl Tokens {
    /// Makes the folder.
    pub(super) fn new(folder: PathBuf) -> Result<Self> {
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder);
        made.context("no folder for the tokens")?;
        Ok(Self(folder))
    }

    /// Where the token of somebody is.
    pub(super) fn path(&self, who: &Who) -> PathBuf {
        self.0.join(format!("{}.{}", who.name, who.provider))
    }

    /// Mints a token anew, as it is sent: `Authorization: Bearer TOKEN`, or the provider's own header.
    pub(super) fn mint(&self, who: &Who, issuer: &Issuer, now: UnixTime) -> Result<()> {
        let cast = issuer.cast();
        let person = cast.find(&who.name, Some(&who.provider));
        let person = person.context("nobody is called that any longer")?;
        let provider = cast.provider_of(person);
        let provider = provider.context("the provider is not there any longer")?;
        let token = issuer.token(person, provider, &cast.audiences, now)?;
        let path = self.path(who);
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| path.display().to_string())?;
        match &who.header {
            Some(own) => writeln!(file, "{own}: {}", token.reveal())?,
            None => writeln!(file, "Authorization: Bearer {}", token.reveal())?,
        }
        Ok(())
    }
}
