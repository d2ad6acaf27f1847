//! Judging a learned field by derivatives and rollouts.

use hnn_data::DataSet;
use hnn_examples::{Rollouts, roll_out};
use hnn_integrators::VectorField;
use hnn_losses::metrics::derivative_mse_of;
use hnn_plots::Motion;
use hnn_systems::Hamiltonian;
use ndarray::{Array2, ArrayView1, Axis, s};

use crate::Result;

/// What learned fields are judged by: derivatives of training and test data, and rollouts.
pub struct Judge<'a> {
    /// The data that models learn from.
    pub train: &'a DataSet<f64>,
    /// Others.
    pub test: &'a DataSet<f64>,
    /// Where rollouts begin, shape (M, D).
    pub starts: Array2<f64>,
    /// The times of rollouts.
    pub times: Vec<f64>,
    /// The true rollouts.
    pub truth: Rollouts,
    tolerance: f64,
}

impl<'a> Judge<'a> {
    /// With the true field's rollouts from `starts`; the models' are integrated to `tolerance`.
    ///
    /// # Errors
    /// If the truth cannot be computed.
    pub fn new(
        field: &dyn VectorField<f64>,
        [train, test]: [&'a DataSet<f64>; 2],
        starts: Array2<f64>,
        times: Vec<f64>,
        tolerance: f64,
    ) -> Result<Self> {
        let truth = roll_out(field, starts.view(), &times, 1e-12)?;
        Ok(Self { train, test, starts, times, truth, tolerance })
    }

    /// The mean squared errors of the derivatives: `train_loss` and `test_loss`.
    ///
    /// # Errors
    /// If the field fails.
    pub fn losses(&self, field: &dyn VectorField<f64>) -> Result<[(&'static str, f64); 2]> {
        Ok([
            ("train_loss", derivative_mse_of(field, self.train)?.mean),
            ("test_loss", derivative_mse_of(field, self.test)?.mean),
        ])
    }

    /// The field's rollouts.
    ///
    /// # Errors
    /// If it has another dimension.
    pub fn roll_out(&self, field: &dyn VectorField<f64>) -> Result<Rollouts> {
        Ok(roll_out(field, self.starts.view(), &self.times, self.tolerance)?)
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

    /// The losses, and the mean squared error of the true energy along rollouts, `energy_mse`.
    ///
    /// # Errors
    /// If the field fails.
    pub fn with_energy(
        &self,
        field: &dyn VectorField<f64>,
        system: &dyn Hamiltonian<f64>,
    ) -> Result<Vec<(&'static str, f64)>> {
        let rollouts = self.roll_out(field)?;
        let (_, energy) = rollouts.errors(system, &self.truth, 0..self.starts.nrows())?;
        Ok(self.losses(field)?.into_iter().chain([("energy_mse", energy)]).collect())
    }
}
