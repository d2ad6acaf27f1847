//! What changes during a run.

use hnn_integrators::Scalar;
use serde::{Deserialize, Serialize};

use crate::TrainingRecord;
use crate::average::Average;
use crate::early_stopping::Best;
use crate::minibatch::Draw;

/// A run between two steps.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "T: Scalar")]
pub(crate) struct State<T> {
    #[serde(with = "numbers")]
    pub(crate) theta: Vec<T>,
    /// The last parameters at which the loss was finite.
    #[serde(with = "numbers")]
    pub(crate) last_finite: Vec<T>,
    pub(crate) average: Option<Average<T>>,
    pub(crate) best: Best<T>,
    pub(crate) record: TrainingRecord,
}

impl<T: Scalar> State<T> {
    pub(crate) fn new(theta: Vec<T>, averaging: Option<f64>) -> Self {
        Self {
            last_finite: theta.clone(),
            average: averaging.map(|decay| Average::new(decay, theta.len())),
            theta,
            best: Best::new(),
            record: TrainingRecord::default(),
        }
    }

    /// The parameters that are validated: the latest ones, or their average.
    pub(crate) fn candidate(&self) -> &[T] {
        self.average.as_ref().map_or(&self.theta, |average| &average.mean)
    }

    /// Whether it is one of a model with so many parameters.
    pub(crate) fn fits(&self, num_params: usize) -> bool {
        let of_best = self.best.theta.len();
        [self.theta.len(), self.last_finite.len(), self.candidate().len()] == [num_params; 3]
            && (of_best == num_params || of_best == 0 && self.best.loss.is_infinite())
    }
}

/// What a checkpoint holds: to be written, of references.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Saved<S, D> {
    /// What a run that goes on from here must have in common with this one, by name.
    pub(crate) settings: Vec<(String, String)>,
    /// A [`State`].
    pub(crate) state: S,
    pub(crate) optimiser: Vec<f64>,
    pub(crate) loss: Vec<f64>,
    /// A [`Draw`], with mini-batches.
    pub(crate) draw: Option<D>,
}

/// What is read from a checkpoint.
pub(crate) type Loaded<T> = Saved<State<T>, Draw>;

/// The Euclidean norm; not finite either where the squares leave the range of `T`, as an optimiser's moments would.
pub(crate) fn norm<T: Scalar>(numbers: &[T]) -> f64 {
    numbers.iter().map(|x| (*x * *x).to_f64()).sum::<f64>().sqrt()
}

/// Scalars as `f64`, which holds each of them.
pub(crate) mod numbers {
    use hnn_integrators::Scalar;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<T: Scalar, S: Serializer>(
        numbers: &[T],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(numbers.iter().map(|number| number.to_f64()))
    }

    pub(crate) fn deserialize<'de, T: Scalar, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error> {
        let numbers = Vec::<f64>::deserialize(deserializer)?;
        Ok(numbers.into_iter().map(T::from_f64).collect())
    }
}
