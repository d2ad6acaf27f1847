//! Losses, and metrics of rollouts.

use hnn::Error;
use hnn::integrators::{Parameters, RK4, Tableau};
use hnn::losses::{
    DerivativeLoss, ErrorMeasure, JointLoss, L1Penalty, L2Penalty, Loss, Reduction, RowSelection,
    TotalLoss, TrajectoryData, TrajectoryLoss, Window, metrics,
};
use hnn::models::{Hnn, Mlp};
use hnn::ndarray::{Array3, ArrayView2};
use hnn::systems::{Hamiltonian, Spring};

use super::models::network;
use crate::odd::Odd;

pub(super) type Model = Hnn<Mlp<f64>>;

pub(super) fn call(odd: &mut Odd) -> Result<(), Error> {
    if odd.yes(0.3) {
        return rollouts(odd);
    }
    let model = Hnn::new(network(odd, 2, 1)?)?;
    let mut loss = loss(odd)?;
    let rows = odd.some(4, |odd| odd.count(4));
    let selection = if odd.yes(0.5) { RowSelection::All } else { RowSelection::Rows(&rows) };
    let mut theta_bar = vec![0.0; odd.length(model.num_params())];
    loss.begin_step(odd.count(5), odd.count(5))?;
    loss.value(&model, selection)?;
    loss.value_and_gradient(&model, selection, odd.number(), &mut theta_bar)?;
    let mut state = Vec::new();
    loss.save_state(&mut state);
    state.truncate(odd.length(state.len()));
    loss.restore_state(&mut &state[..])?;
    Ok(())
}

fn window(odd: &mut Odd) -> Window {
    if odd.yes(0.5) { Window::Whole } else { Window::Steps(odd.count(4)) }
}

fn trajectory(odd: &mut Odd) -> Result<TrajectoryLoss<f64, Tableau>, Error> {
    let mut lengths = vec![3; 1 + odd.below(2)];
    if odd.is_odd() {
        lengths.push(odd.count(4));
    }
    let rows = lengths.iter().fold(0_usize, |sum, n| sum.saturating_add(*n)).min(9);
    let times: Vec<f64> =
        lengths.iter().flat_map(|length| odd.times((*length).min(9))).take(rows).collect();
    let (times, states) = (times.into(), odd.table(rows, 2));
    let times: &hnn::ndarray::Array1<f64> = &times;
    let data = TrajectoryData::new(times.view(), states.view(), &lengths);
    let mut loss = TrajectoryLoss::new(RK4, window(odd), data)?.with_segments(odd.count(3));
    let reductions = [Reduction::Mean, Reduction::MaskedMean, Reduction::Sum];
    loss = loss.with_reduction(odd.pick(&reductions));
    if odd.yes(0.2) {
        loss = loss.with_curriculum(&[(odd.or_odd(0.0), window(odd)), (0.5, window(odd))])?;
    }
    if odd.yes(0.2) {
        loss = loss.with_fitted_starts(odd.or_odd(0.1))?;
    }
    if odd.yes(0.2) {
        loss = loss.with_derivatives(odd.or_odd(1.0), odd.table(rows, 2).view())?;
    }
    loss.set_window(window(odd))?;
    Ok(loss)
}

fn derivative(odd: &mut Odd) -> Result<DerivativeLoss<f64>, Error> {
    let rows = 1 + odd.below(6);
    let (t, x, dx) = (odd.array(rows), odd.table(rows, 2), odd.table(rows, 2));
    let measure = match odd.below(3) {
        0 => ErrorMeasure::Squared,
        1 => ErrorMeasure::Absolute,
        _ => ErrorMeasure::Huber { threshold: odd.positive() },
    };
    Ok(DerivativeLoss::new(t.view(), x.view(), dx.view())?.with_error_measure(measure)?)
}

/// Any loss of a model of the plane.
pub(super) fn loss(odd: &mut Odd) -> Result<Box<dyn Loss<f64, Model>>, Error> {
    Ok(match odd.below(4) {
        0 => Box::new(derivative(odd)?),
        1 => Box::new(trajectory(odd)?),
        2 => Box::new(JointLoss::new(derivative(odd)?, odd.positive(), trajectory(odd)?)?),
        _ => Box::new(
            TotalLoss::new(derivative(odd)?)
                .plus(odd.or_odd(1e-3), L2Penalty::new())?
                .plus(odd.or_odd(1e-3), L1Penalty::new())?
                .plus(odd.or_odd(1.0), trajectory(odd)?)?,
        ),
    })
}

fn rollouts(odd: &mut Odd) -> Result<(), Error> {
    let [model, truth] = [(); 2].map(|()| {
        let shape = (odd.length(2), odd.length(5), odd.length(2));
        let (numbers, diverged) = (odd.numbers(7), odd.is_odd());
        Array3::from_shape_fn(shape, |(m, t, d)| match diverged && t == 3 {
            true => f64::NAN,
            false => numbers.get((m + t + d) % 7).copied().unwrap_or(0.5),
        })
    });
    let (model, truth, times) = (model.view(), truth.view(), odd.times(5));
    let energy = |x: ArrayView2<'_, f64>| Spring::default().energy_rows(x);
    metrics::coordinate_mse(model, truth)?;
    metrics::squared_errors(model, truth)?;
    metrics::energy_mse(energy, model, truth)?;
    metrics::energy_drift(energy, &times, model)?;
    metrics::valid_prediction_time(&times, model, truth, odd.positive())?;
    let (t, x, dx) = (odd.array(3), odd.table(3, 2), odd.table(3, 2));
    metrics::derivative_mse(&Spring::default(), t.view(), x.view(), dx.view())?;
    metrics::Spread::new(&odd.numbers(2))?;
    Ok(())
}
