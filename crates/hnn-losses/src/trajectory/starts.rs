//! Starting states of windows that are fitted too.

use hnn_integrators::Scalar;
use ndarray::ArrayView2;

use super::windows::Stretch;
use crate::LossError;

/// What a window's start is moved by: an index into the states, and the mean over the window's
/// states of half the gradient.
pub(super) type Move<T> = (usize, T);

/// A start for a window beginning at any row, fitted by damped Gauss-Newton steps that take the
/// flow over a window for a rotation, in units of the coordinates' weights: the mean of its squares
/// is then the identity.
#[derive(Debug)]
pub(super) struct FittedStarts<T> {
    rate: T,
    dim: usize,
    /// A state a row of the data, at first the measured ones.
    pub(super) x: Vec<T>,
    /// What the last gradient asks for.
    moves: Vec<Move<T>>,
}

impl<T: Scalar> FittedStarts<T> {
    pub(super) fn new(rate: f64, dim: usize, measured: &[T]) -> Self {
        Self { rate: T::from_f64(rate), dim, x: measured.to_vec(), moves: Vec::new() }
    }

    /// Forgets the last gradient.
    pub(super) fn clear(&mut self) {
        self.moves.clear();
    }

    /// Takes over what a block's gradient asks for.
    pub(super) fn take(&mut self, moves: &mut Vec<Move<T>>) {
        self.moves.append(moves);
    }

    /// Moves the starts down the last gradient.
    pub(super) fn step(&mut self) {
        for (index, half_gradient) in self.moves.drain(..) {
            self.x[index] -= self.rate * half_gradient;
        }
    }

    /// Appends the starts as the next step will have them.
    pub(super) fn save(&self, state: &mut Vec<f64>) {
        let mut x = self.x.clone();
        self.moves
            .iter()
            .for_each(|(index, half_gradient)| x[*index] -= self.rate * *half_gradient);
        state.extend(x.iter().map(|x| x.to_f64()));
    }

    /// Takes over saved starts.
    pub(super) fn restore(&mut self, state: &mut &[f64]) -> Result<(), LossError> {
        let error = LossError::Shape {
            what: "saved state of the fitted starts",
            given: vec![state.len()],
            expected: vec![self.x.len()],
            hint: "a number for each of the measured states' coordinates",
        };
        let saved = state.split_off(..self.x.len()).ok_or(error)?;
        self.x.iter_mut().zip(saved).for_each(|(x, saved)| *x = T::from_f64(*saved));
        self.clear();
        Ok(())
    }

    pub(super) fn view(&self) -> Option<ArrayView2<'_, T>> {
        ArrayView2::from_shape((self.x.len() / self.dim, self.dim), &self.x).ok()
    }
}

/// The weight in whose units a start's coordinate is fitted: its own, or the mean of those that count
/// where it has none.
pub(super) fn unit<T: Scalar>(weights: &[T], i: usize) -> T {
    if weights[i] > T::ZERO {
        return weights[i];
    }
    let counted = || weights.iter().filter(|weight| **weight > T::ZERO);
    counted().copied().sum::<T>() / T::from_usize(counted().count().max(1))
}

/// The moves that a block's gradient (times `scale`) with respect to its starts asks for.
pub(super) fn moves_of<T: Scalar>(
    stretches: &[Stretch],
    weights: &[T],
    x_bar: &[T],
    scale: T,
) -> impl Iterator<Item = Move<T>> {
    let (lanes, dim) = (stretches.len(), weights.len());
    stretches.iter().enumerate().flat_map(move |(lane, stretch)| {
        let share = T::ONE / (scale * T::from_f64((stretch.steps + 1) as f64));
        (0..dim).map(move |i| {
            (stretch.row * dim + i, share * x_bar[i * lanes + lane] / unit(weights, i))
        })
    })
}
