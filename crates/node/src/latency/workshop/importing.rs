//! Files of measurements on their way in: none is taken twice, unless somebody wants that.

use anyhow::{Result, ensure};

use crate::latency::imported::Digest;
use crate::latency::now_s;

use super::{Lot, Taken, Workshop};

/// Whether a file is taken.
pub(crate) enum Beginning<'a> {
    /// Its rows are.
    Begins(Importing<'a>),
    /// They were, in this second.
    WasMade { at_s: u64 },
}

/// A file whose rows come now.
pub(crate) struct Importing<'a> {
    workshop: &'a Workshop,
    /// By what it will be known again; nothing of what comes through a pipe.
    digest: Option<Digest>,
    taken: Taken,
}

impl Workshop {
    /// Begins to take a file.
    ///
    /// # Errors
    ///
    /// While somebody else is taking it.
    pub(crate) fn import(&self, digest: Option<Digest>, again: bool) -> Result<Beginning<'_>> {
        let mut work = self.lock();
        if let Some(digest) = &digest {
            if !again && let Some(at_s) = work.imported.at_s(digest) {
                return Ok(Beginning::WasMade { at_s });
            }
            ensure!(
                !work.importing.contains(digest),
                "this file is being imported at this moment"
            );
            work.importing.push(digest.clone());
        }
        Ok(Beginning::Begins(Importing {
            workshop: self,
            digest,
            taken: Taken::default(),
        }))
    }
}

impl Importing<'_> {
    /// Takes some of it.
    pub(crate) fn take(&mut self, lot: &Lot) {
        self.taken.add(self.workshop.take(lot));
    }

    /// It was all: puts on the disk what came of it, and after that which file it was. A crash in
    /// between lets it be taken again; the other way round it would be lost.
    pub(crate) fn finish(mut self) -> Result<Taken> {
        let taken = std::mem::take(&mut self.taken);
        let mut work = self.workshop.lock();
        self.workshop.save(&mut work)?;
        if let Some(digest) = &self.digest
            && taken.samples > 0
        {
            work.imported.insert(digest, now_s());
            work.imported.keep(&self.workshop.folder)?;
        }
        drop(work);
        Ok(taken)
    }
}

impl Drop for Importing<'_> {
    fn drop(&mut self) {
        let Some(digest) = &self.digest else {
            return;
        };
        let importing = &mut self.workshop.lock().importing;
        importing.retain(|other| other != digest);
    }
}
