//! What the data leave open of a rollout.

use hnn_integrators::{
    DifferentiableField, DifferentiableStepper, Scalar, TooLarge, compiled_here,
};
use hnn_losses::{
    JacobianRows, Loss, Reduction, ResidualRows, RowSelection, TrajectoryData, TrajectoryLoss,
    Window,
};
use ndarray::{Array2, ArrayView1, s};

use super::Posterior;
use crate::TrainError;

impl Posterior {
    /// The standard deviations of the states `x(t; theta)` of a rollout of the fitted model from `start`
    /// (D numbers) at `times[0]`, by the stepper from time to time, shape (T, D):
    ///
    /// ```text
    /// sqrt(j Cov j^T),    j = dx_i(t)/dtheta
    /// ```
    ///
    /// These are the posterior's to first order in the parameters (the linearised Laplace approximation;
    /// Immer, Korzepa and Bauer, *Improving predictions of Bayesian neural nets via local linearization*,
    /// 2021): twice them on either side is a band of 95 %. A network's parameters drawn at random leave
    /// the canyons of its loss, and their rollouts say nothing; of a formula with few constants
    /// [`samples`](Self::samples) give bands beyond first order.
    ///
    /// ```
    /// use hnn_integrators::{DualField, RK4};
    /// use hnn_losses::DerivativeLoss;
    /// use hnn_train::LeastSquares;
    /// use ndarray::array;
    /// // dx/dt = -a x, from noisy rates.
    /// let mut decay = DualField::new([0.0], |_t, [x]: [_; 1], [a]| [-a * x]);
    /// let (t, x) = (array![0.0, 0.0, 0.0], array![[1.0], [2.0], [3.0]]);
    /// let rates = array![[-0.49], [-1.02], [-1.5]];
    /// let mut loss = DerivativeLoss::new(t.view(), x.view(), rates.view())?;
    /// let solver = LeastSquares::new(10);
    /// solver.fit(&mut decay, &mut loss, None, &mut ())?;
    /// let posterior = solver.posterior(&mut decay, &mut loss, None)?;
    /// let times = [0.0, 0.1, 0.2];
    /// let band = posterior.rollout_deviations(&decay, RK4, array![1.0].view(), &times)?;
    /// // x = exp(-a t), dx/da = -t x.
    /// let expected = 0.2 * (-0.5 * 0.2_f64).exp() * posterior.standard_errors()[0];
    /// assert!(band[[0, 0]] == 0.0 && (band[[2, 0]] / expected - 1.0).abs() < 0.01);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the model has other parameters, another dimension or inputs, cannot be integrated, or the
    /// derivatives are more than memory holds.
    pub fn rollout_deviations<T, F, S>(
        &self,
        model: &F,
        stepper: S,
        start: ArrayView1<'_, T>,
        times: &[T],
    ) -> Result<Array2<f64>, TrainError>
    where
        T: Scalar,
        F: DifferentiableField<T>,
        S: DifferentiableStepper<T, F>,
    {
        let params = model.num_params();
        let states = compiled_here!(T => States<T>, states)(start, times.len(), params)?;
        let lengths = [times.len()];
        let data = TrajectoryData::new(times.into(), states.view(), &lengths);
        let of = |source| TrainError::Loss { step: 0, source };
        let loss = TrajectoryLoss::new(stepper, Window::Whole, data).map_err(of)?;
        let mut loss = loss.with_reduction(Reduction::Sum);
        let layout = loss.residual_layout(model, RowSelection::All).map_err(of)?;
        let mut values = vec![T::ZERO; layout.len()];
        let mut by_theta = vec![T::ZERO; layout.len() * params];
        let jacobian = JacobianRows { by_theta: &mut by_theta, by_locals: &mut [] };
        let rows = ResidualRows { values: &mut values, jacobian: Some(jacobian) };
        loss.residuals(model, 0..layout.num_groups(), rows).map_err(of)?;
        let deviations = compiled_here!(T => Deviations<T>, Posterior::deviations);
        deviations(self, &by_theta, (layout.len(), params), states.dim())
    }

    /// Those of states (T, D) by the derivatives of all but the first.
    fn deviations<T: Scalar>(
        &self,
        by_theta: &[T],
        shape: (usize, usize),
        states: (usize, usize),
    ) -> Result<Array2<f64>, TrainError> {
        let rows: Vec<f64> = by_theta.iter().map(|entry| entry.to_f64()).collect();
        let rows = Array2::from_shape_vec(shape, rows).unwrap_or_default();
        let after = self.standard_deviations(rows.view())?;
        let mut deviations = Array2::zeros(states);
        for (to, deviation) in deviations.slice_mut(s![1.., ..]).iter_mut().zip(after) {
            *to = deviation;
        }
        Ok(deviations)
    }
}

type Deviations<T> =
    fn(&Posterior, &[T], (usize, usize), (usize, usize)) -> Result<Array2<f64>, TrainError>;

type States<T> = fn(ArrayView1<'_, T>, usize, usize) -> Result<Array2<T>, TrainError>;

/// States of which the first is the start, for a model with so many parameters.
fn states<T: Scalar>(
    start: ArrayView1<'_, T>,
    times: usize,
    params: usize,
) -> Result<Array2<T>, TrainError> {
    let row = (size_of::<T>() + 8) * start.len() * params.max(1);
    TooLarge::check("states of a rollout", times, row, "take fewer times")?;
    let mut states = Array2::zeros((times, start.len()));
    if let Some(mut first) = states.rows_mut().into_iter().next() {
        first.assign(&start);
    }
    Ok(states)
}
