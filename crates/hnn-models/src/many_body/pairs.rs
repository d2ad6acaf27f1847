//! Which bodies interact, and how far they are from each other.

use hnn_integrators::{Scalar, TooLarge, coordinate_major};
use ndarray::{Array2, ArrayView1, ArrayView2, Axis, s};

use super::{Separation, coordinates};
use crate::ModelError;
use crate::scales::{Sizes, check, refused, root_mean_square};

/// Pairs among bodies that move and bodies that do not.
///
/// Of a pair `(i, j)` of a batch, differences `x_i - x_j` lie axis by axis, those of the pairs one
/// after the other: `[pair][axis][row]`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pairs {
    pub(super) axes: usize,
    pub(super) bodies: usize,
    /// Positions of the bodies that do not move, shape (F, axes).
    pub(super) fixed: Array2<f64>,
    pub(super) list: Vec<(usize, usize)>,
}

impl Pairs {
    /// All pairs of bodies that move.
    pub(super) fn all(axes: usize, bodies: usize) -> Result<Self, ModelError> {
        coordinates(axes, bodies)?;
        let count = bodies as u128 * (bodies as u128 - 1) / 2;
        // With what is kept of a pair of one state.
        let each = axes.saturating_add(4).saturating_mul(16);
        TooLarge::check("pairs of bodies", count, each, "take fewer")?;
        let list = (0..bodies).flat_map(|i| (i + 1..bodies).map(move |j| (i, j))).collect();
        Ok(Self { axes, bodies, fixed: Array2::zeros((0, axes)), list })
    }

    /// Some pairs; bodies that do not move are counted after those that do.
    pub(super) fn some(
        axes: usize,
        bodies: usize,
        fixed: ArrayView2<'_, f64>,
        list: &[(usize, usize)],
    ) -> Result<Self, ModelError> {
        coordinates(axes, bodies)?;
        if fixed.ncols() != axes {
            let (given, expected) = (fixed.ncols(), axes);
            return Err(ModelError::InputSize { role: "fixed bodies", given, expected });
        }
        if let Some(given) = fixed.iter().find(|x| !x.is_finite()) {
            let (name, expected) = ("the position of a fixed body", "finite");
            return Err(ModelError::Setting { name, given: *given, expected });
        }
        let count = bodies.saturating_add(fixed.nrows());
        let is_pair = |(i, j): &(usize, usize)| i != j && *i.max(j) < count && *i.min(j) < bodies;
        if let Some(&pair) = list.iter().find(|pair| !is_pair(pair)) {
            return Err(ModelError::Pair { pair, bodies, count });
        }
        Ok(Self { axes, bodies, fixed: fixed.to_owned(), list: list.to_vec() })
    }

    /// Whether they are all pairs of bodies that move, and no other body is there.
    pub(super) fn are_all(&self) -> bool {
        self.fixed.nrows() == 0 && Self::all(self.axes, self.bodies).is_ok_and(|all| all == *self)
    }

    pub(super) fn coordinates(&self) -> usize {
        self.axes * self.bodies
    }

    /// `d = x_i - x_j` of positions.
    pub(super) fn differences<T: Scalar>(&self, batch: usize, x: &[T], d: &mut [T]) {
        self.directions(batch, x, d);
        let place = |body: usize, axis| match body.checked_sub(self.bodies) {
            Some(fixed) => self.fixed[[fixed, axis]],
            None => 0.0,
        };
        let axes = (0..self.list.len() * self.axes).zip(d.chunks_exact_mut(batch.max(1)));
        for (index, d) in axes.filter(|_| self.fixed.nrows() > 0) {
            let ((i, j), axis) = (self.list[index / self.axes], index % self.axes);
            let shift = T::from_f64(place(i, axis) - place(j, axis));
            d.iter_mut().for_each(|d| *d += shift);
        }
    }

    /// `e = w_i - w_j` of directions, along which fixed bodies do not go.
    pub(super) fn directions<T: Scalar>(&self, batch: usize, w: &[T], e: &mut [T]) {
        e.fill(T::ZERO);
        let axes = e.chunks_exact_mut(batch.max(1));
        for (index, e) in axes.enumerate() {
            for (body, sign) in self.ends::<T>(index / self.axes) {
                let lane = &w[self.lane(index % self.axes, body) * batch..];
                e.iter_mut().zip(lane).for_each(|(e, w)| *e += sign * *w);
            }
        }
    }

    /// Adds the cotangents of differences to those of positions.
    pub(super) fn pull<T: Scalar>(&self, batch: usize, d_bar: &[T], x_bar: &mut [T]) {
        for (index, d_bar) in d_bar.chunks_exact(batch.max(1)).enumerate() {
            for (body, sign) in self.ends::<T>(index / self.axes) {
                let lane = &mut x_bar[self.lane(index % self.axes, body) * batch..];
                lane.iter_mut().zip(d_bar).for_each(|(x, d)| *x += sign * *d);
            }
        }
    }

    /// Mean and standard deviation of what the network sees in data, and the energy that makes forces of
    /// the data's size of a slope of 1.
    pub(super) fn scales<T: Scalar>(
        &self,
        separation: Separation,
        states: ArrayView2<'_, T>,
        derivatives: ArrayView2<'_, T>,
    ) -> Result<[f64; 3], ModelError> {
        let (batch, half) = (states.nrows(), self.coordinates());
        check("states", states, batch, 2 * half)?;
        check("derivatives", derivatives, batch, 2 * half)?;
        let len = self.list.len() * batch;
        TooLarge::check("pairs in the data", len * self.axes, 8 * size_of::<T>(), "take fewer")?;
        let (mut d, mut square) = (vec![T::ZERO; len * self.axes], vec![T::ZERO; len]);
        self.differences(batch, &coordinate_major(states)[..half * batch], &mut d);
        self.twice_dot(batch, [&d, &d], &mut square);
        let derivatives_of = |twice: &T| separation.derivatives(T::from_f64(0.5) * *twice);
        let (s, slopes): (Vec<T>, Vec<T>) =
            square.iter().map(derivatives_of).map(|[s, slope, _]| (s, slope + slope)).unzip();
        if s.iter().chain(&slopes).any(|x| !x.is_finite()) {
            let reason = "two bodies of a pair are at the same place, or too far apart";
            return Err(refused("states", reason.to_owned()));
        }
        let seen = Sizes::of(ArrayView1::from(&s).insert_axis(Axis(1)));
        let (mean, size) = (seen.mean[0], seen.deviation[0]);
        // Forces of a slope of 1 in what the network sees, as if those of the pairs of a body had nothing to do with
        // each other: at rest they cancel.
        let mut force = vec![T::ZERO; d.len()];
        self.add_scaled(batch, &slopes, &d, &mut force);
        let squares = force.iter().enumerate().map(|(index, f)| {
            let ends = self.ends::<T>(index / (batch * self.axes)).count();
            ends as f64 * f.to_f64().powi(2)
        });
        let unit = (squares.sum::<f64>() / (half * batch) as f64).sqrt();
        let forces = derivatives.slice(s![.., half..]);
        let known = root_mean_square(ArrayView1::from(&coordinate_major(forces)));
        if known == 0.0 {
            return Err(refused("derivatives", "all forces are 0".to_owned()));
        }
        Ok([mean, size, known / unit * size])
    }

    /// `2 a . b` of each pair, `[pair][row]`.
    pub(super) fn twice_dot<T: Scalar>(&self, batch: usize, [a, b]: [&[T]; 2], out: &mut [T]) {
        out.fill(T::ZERO);
        let axes = a.chunks_exact(batch.max(1)).zip(b.chunks_exact(batch.max(1)));
        for (index, (a, b)) in axes.enumerate() {
            let out = &mut out[index / self.axes * batch..];
            for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                *out += (*a + *a) * *b;
            }
        }
    }

    /// Multiplies each pair's `e` by its factor.
    pub(super) fn scale<T: Scalar>(&self, batch: usize, factors: &[T], e: &mut [T]) {
        for (index, e) in e.chunks_exact_mut(batch.max(1)).enumerate() {
            let factors = &factors[index / self.axes * batch..];
            e.iter_mut().zip(factors).for_each(|(e, factor)| *e *= *factor);
        }
    }

    /// Adds each pair's `d` times its factor to `e`.
    pub(super) fn add_scaled<T: Scalar>(&self, batch: usize, factors: &[T], d: &[T], e: &mut [T]) {
        let axes = e.chunks_exact_mut(batch.max(1)).zip(d.chunks_exact(batch.max(1)));
        for (index, (e, d)) in axes.enumerate() {
            let factors = &factors[index / self.axes * batch..];
            for ((e, d), factor) in e.iter_mut().zip(d).zip(factors) {
                *e += *factor * *d;
            }
        }
    }

    /// The ends of a pair that move, and the sign of each in the difference.
    fn ends<T: Scalar>(&self, pair: usize) -> impl Iterator<Item = (usize, T)> {
        let (i, j) = self.list[pair];
        [(i, T::ONE), (j, -T::ONE)].into_iter().filter(|(body, _)| *body < self.bodies)
    }

    fn lane(&self, axis: usize, body: usize) -> usize {
        axis * self.bodies + body
    }
}
