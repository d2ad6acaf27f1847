//! What learned fields are judged by.

use hnn_integrators::VectorField;
use hnn_plots::Motion;
use ndarray::{Array2, ArrayView1, Axis, s};

use crate::{Result, Rollouts, roll_out};

/// The true rollouts from some starts, which those of learned fields are compared with.
pub struct Judge {
    /// Where rollouts begin, shape (M, D).
    pub starts: Array2<f64>,
    /// The times of rollouts.
    pub times: Vec<f64>,
    /// The true rollouts.
    pub truth: Rollouts,
    tolerance: f64,
}

impl Judge {
    /// With the true field's rollouts; the models' are integrated to `tolerance`.
    ///
    /// # Errors
    /// If the times or the starts make no sense.
    pub fn new(
        truth: &dyn VectorField<f64>,
        starts: Array2<f64>,
        times: Vec<f64>,
        tolerance: f64,
    ) -> Result<Self> {
        let truth = roll_out(truth, starts.view(), &times, 1e-12)?;
        Ok(Self { starts, times, truth, tolerance })
    }

    /// The field's rollouts.
    ///
    /// # Errors
    /// If it has another dimension.
    pub fn roll_out(&self, field: &dyn VectorField<f64>) -> Result<Rollouts> {
        roll_out(field, self.starts.view(), &self.times, self.tolerance)
    }

    /// The field's rollout from the first start, to be drawn; as far as it is finite.
    ///
    /// # Errors
    /// If the field has another dimension.
    pub fn motion(&self, label: &str, field: &dyn VectorField<f64>) -> Result<Motion> {
        let first = self.starts.slice(s![..1, ..]);
        let states = roll_out(field, first, &self.times, self.tolerance)?.states;
        let states = states.index_axis(Axis(0), 0);
        let finite = |row: &ArrayView1<'_, f64>| row.iter().all(|x| x.is_finite());
        let rows = states.outer_iter().take_while(finite).count();
        Ok(Motion::new(label, &self.times[..rows], states.slice(s![..rows, ..]))?)
    }
}
