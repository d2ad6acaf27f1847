//! Files from which a run that was interrupted goes on.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crc::{CRC_32_ISCSI, Crc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::TrainError;
use crate::error::require;

/// What a file begins with; the version counts changes of what follows.
const MAGIC: &[u8] = b"hnn-train run 2\n";
/// Guards the rest of a file.
const SUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// Where and how often a [`Trainer`](crate::Trainer) (or [`LeastSquares`](crate::LeastSquares)) saves the state of its run, and whether it
/// goes on from what is saved there.
///
/// The state is all that changes during a run: parameters, optimiser, random streams, averages,
/// the best so far, patience, the loss's own state and the record. A run that goes on gives the
/// same numbers, bit for bit, as one that was never interrupted. It needs the same program: the
/// settings are compared, and the first step is evaluated again to see that model, loss and data
/// are the same. Random numbers inside a libtorch module (its dropout) are libtorch's own, and no
/// part of the state.
///
/// ```
/// use hnn_losses::DerivativeLoss;
/// use hnn_models::{Architecture, Hnn, Initialisation, Mlp};
/// use hnn_train::{Checkpoint, Control, Progress, Trainer};
/// use ndarray::array;
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("run.checkpoint");
/// let x = array![[1.0, 0.0], [0.0, 0.5], [0.3, -0.4]];
/// let dx = array![[0.0, -2.0], [1.0, 0.0], [-0.8, -0.6]];
/// let t = array![0.0, 0.0, 0.0];
/// // The same program, run until it is interrupted, and then again.
/// let program = |interrupt: usize| -> Result<_, Box<dyn std::error::Error>> {
///     let net = Mlp::<f64>::new(Architecture::new(&[2, 16, 1])?, Initialisation::Orthogonal, 0);
///     let mut model = Hnn::new(net)?;
///     let mut loss = DerivativeLoss::new(t.view(), x.view(), dx.view())?;
///     let mut observer = |progress: &Progress<'_>| match progress.record.step {
///         step if step == interrupt => Control::Stop,
///         _ => Control::Continue,
///     };
///     let checkpoint = Checkpoint::new(&path).with_step_interval(10).with_resume(true);
///     let mut trainer = Trainer::new(50).with_checkpoint(checkpoint);
///     Ok(trainer.fit(&mut model, &mut loss, None, &mut observer)?)
/// };
/// assert_eq!(program(20)?.steps.len(), 21);
/// assert_eq!(program(100)?.steps.len(), 50);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Checkpoint {
    path: PathBuf,
    every: Every,
    resuming: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Every {
    Steps(usize),
    Time(Duration),
}

impl Checkpoint {
    /// In the file `path`, every minute and at the end.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let every = Every::Time(Duration::from_secs(60));
        Self { path: path.into(), every, resuming: false }
    }

    /// The same every so many steps, at least 1. A file holds the record so far: very short
    /// intervals make long runs slow.
    #[must_use]
    pub fn with_step_interval(self, steps: usize) -> Self {
        Self { every: Every::Steps(steps), ..self }
    }

    /// The same after such a time.
    #[must_use]
    pub fn with_time_interval(self, time: Duration) -> Self {
        Self { every: Every::Time(time), ..self }
    }

    /// The same with a run that goes on from the file, if there is one, or begins anew and
    /// replaces it. A run that had ended is not trained again.
    #[must_use]
    pub fn with_resume(self, resuming: bool) -> Self {
        Self { resuming, ..self }
    }

    pub(crate) fn check(&self) -> Result<(), TrainError> {
        let sensible = self.every != Every::Steps(0);
        require(sensible, "the interval between two checkpoints", 0, "at least 1 step")
    }

    /// Whether a state should be saved after a step, when the last one was saved `saved`.
    pub(crate) fn is_due(&self, step: usize, saved: Instant) -> bool {
        match self.every {
            Every::Steps(steps) => (step + 1).is_multiple_of(steps),
            Every::Time(time) => saved.elapsed() >= time,
        }
    }

    pub(crate) fn save(&self, saved: &impl Serialize) -> Result<(), TrainError> {
        let bytes = postcard::to_stdvec_crc32(saved, SUM.digest())
            .map_err(|e| self.error(e.to_string()))?;
        Ok(hnn_files::write(&self.path, |file| {
            file.write_all(MAGIC)?;
            file.write_all(&bytes)
        })?)
    }

    /// The file to go on from, if there is one and this run goes on.
    pub(crate) fn read(&self) -> Result<Option<Vec<u8>>, TrainError> {
        if !self.resuming {
            return Ok(None);
        }
        match hnn_files::read(&self.path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(self.error(e.to_string())),
        }
    }

    /// The state that a file holds.
    pub(crate) fn parse<S: DeserializeOwned>(&self, bytes: &[u8]) -> Result<S, TrainError> {
        let content = bytes.strip_prefix(MAGIC);
        let content = content.ok_or_else(|| {
            self.error("the file is no checkpoint of this version of hnn-train".to_owned())
        })?;
        let saved = postcard::from_bytes_crc32(content, SUM.digest());
        saved.map_err(|e| self.error(format!("the file is damaged ({e})")))
    }

    pub(crate) fn error(&self, reason: String) -> TrainError {
        TrainError::Checkpoint { path: self.path.clone(), reason }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}
