//! Coordinate descent on a working set of unknowns, finished by Cholesky on the support.

use hnn_integrators::simd::{Isa, Kernel, dispatch};

use super::scaled::Scaled;
use crate::linalg::{Cholesky, axpy_wide};

/// The unknowns that may be different from 0, with their part of `Q` close together.
///
/// Grows along a path and never shrinks.
#[derive(Debug, Default)]
pub(crate) struct Working {
    /// Which unknown each place is.
    pub(crate) members: Vec<usize>,
    is_member: Vec<bool>,
    /// Rows of `Q` between the members, `stride` numbers each.
    q: Vec<f64>,
    stride: usize,
    /// `u` of the members.
    pub(crate) u: Vec<f64>,
    /// `c - Q u` of the members.
    gradient: Vec<f64>,
    /// Cholesky of `Q` (and the ridge) on the places in `support`.
    factor: Cholesky,
    support: Vec<usize>,
    factor_ridge: f64,
}

/// What a sweep did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Swept {
    /// Whether a coefficient changed.
    pub(crate) changed: bool,
    /// Whether one changed its sign, or became or left 0.
    pub(crate) sign_changed: bool,
}

/// What a polish came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Polish {
    /// The exact minimiser of these signs.
    Exact,
    /// On the way there a coefficient reached 0, and left the support.
    Shortened,
    /// The support's columns depend on each other.
    Singular,
}

impl Working {
    pub(crate) fn new(unknowns: usize) -> Self {
        Self { is_member: vec![false; unknowns], ..Self::default() }
    }

    pub(crate) fn contains(&self, unknown: usize) -> bool {
        self.is_member[unknown]
    }

    /// Takes in unknowns with value 0, whose `c - Q u` is given.
    pub(crate) fn extend(&mut self, scaled: &Scaled, unknowns: &[usize], gradient: &[f64]) {
        let (old, new) = (self.members.len(), self.members.len() + unknowns.len());
        for &unknown in unknowns {
            self.is_member[unknown] = true;
            self.members.push(unknown);
            self.u.push(0.0);
            self.gradient.push(gradient[unknown]);
        }
        if new > self.stride {
            let stride = (2 * new).min(scaled.len()).next_multiple_of(8);
            let mut q = vec![0.0; stride * stride];
            for a in 0..old {
                q[a * stride..][..old].copy_from_slice(&self.q[a * self.stride..][..old]);
            }
            (self.q, self.stride) = (q, stride);
        }
        for a in 0..new {
            let row = scaled.row(self.members[a]);
            let first = if a < old { old } else { 0 };
            for b in first..new {
                self.q[a * self.stride + b] = row[self.members[b]];
            }
        }
    }

    /// One sweep of coordinate descent.
    pub(crate) fn sweep(&mut self, scaled: &Scaled, lambda: f64) -> Swept {
        dispatch(Sweep { working: self, scaled, lambda })
    }

    /// The duality gap as if the members were all, over `|y|^2 / 2n`.
    pub(crate) fn gap(&self, scaled: &Scaled, lambda: f64) -> f64 {
        let mut scale = 1.0_f64;
        let (mut residual, mut slack) = (scaled.target_square, 0.0);
        let inner =
            |place: usize, a: usize| self.gradient[place] - scaled.ridge(lambda, a) * self.u[place];
        for (place, &a) in self.members.iter().enumerate() {
            let threshold = scaled.threshold(lambda, a);
            if threshold > 0.0 {
                scale = scale.min(threshold / inner(place, a).abs());
            }
            residual -= self.u[place] * (scaled.c[a] + inner(place, a));
        }
        for (place, &a) in self.members.iter().enumerate() {
            let u = self.u[place];
            slack += (scaled.threshold(lambda, a) * u.abs() - scale * inner(place, a) * u).abs();
        }
        (0.5 * (1.0 - scale).powi(2) * residual.max(0.0) + slack)
            / (0.5 * scaled.target_square).max(f64::MIN_POSITIVE)
    }

    /// Whether a member at 0 should not be there, by more than rounding.
    pub(crate) fn violates(&self, scaled: &Scaled, lambda: f64) -> bool {
        let slack = 1e-11 * lambda + 4.0 * f64::EPSILON * scaled.target_square.sqrt();
        self.members.iter().enumerate().any(|(place, &a)| {
            self.u[place] == 0.0 && self.gradient[place].abs() > scaled.threshold(lambda, a) + slack
        })
    }

    /// Moves to the minimiser with the support and the signs of now, or as far towards it as the
    /// signs hold.
    pub(crate) fn polish(&mut self, scaled: &Scaled, lambda: f64) -> Polish {
        if !self.factorise(scaled, lambda) {
            return Polish::Singular;
        }
        let support = &self.support;
        let signed =
            |place: usize| scaled.threshold(lambda, self.members[place]) * self.u[place].signum();
        // The Newton step from u, twice: the second removes the first one's rounding.
        let mut target: Vec<f64> = support.iter().map(|&place| self.u[place]).collect();
        let mut gradient = self.gradient.clone();
        for _ in 0..2 {
            let slope = |(k, &place): (usize, &usize)| {
                let ridge = scaled.ridge(lambda, self.members[place]) * target[k];
                gradient[place] - signed(place) - ridge
            };
            let mut step: Vec<f64> = support.iter().enumerate().map(slope).collect();
            self.factor.solve(&mut step);
            dispatch(Move {
                q: &self.q,
                stride: self.stride,
                support,
                step: &step,
                gradient: &mut gradient,
            });
            target.iter_mut().zip(&step).for_each(|(u, step)| *u += step);
        }
        // The first place on the way where a penalised coefficient changes its sign.
        let mut shortest = (1.0, None);
        for (k, &place) in support.iter().enumerate() {
            let (u, penalised) = (self.u[place], signed(place) != 0.0);
            if penalised && target[k] * u.signum() <= 0.0 {
                let share = u / (u - target[k]);
                if share < shortest.0 || shortest.1.is_none() {
                    shortest = (share.min(1.0), Some(k));
                }
            }
        }
        let (share, blocked) = shortest;
        for (k, &place) in support.iter().enumerate() {
            let u = &mut self.u[place];
            *u = if blocked == Some(k) { 0.0 } else { *u + share * (target[k] - *u) };
        }
        if blocked.is_none() {
            self.gradient = gradient;
            return Polish::Exact;
        }
        for (now, then) in self.gradient.iter_mut().zip(gradient) {
            *now += share * (then - *now);
        }
        Polish::Shortened
    }

    /// Brings the factor to the support of now.
    fn factorise(&mut self, scaled: &Scaled, lambda: f64) -> bool {
        let ridge_scale = lambda * (1.0 - scaled.l1_share);
        if ridge_scale != self.factor_ridge {
            self.factor.clear();
            self.support.clear();
            self.factor_ridge = ridge_scale;
        }
        for k in (0..self.support.len()).rev() {
            if self.u[self.support[k]] == 0.0 {
                self.factor.remove(k);
                self.support.remove(k);
            }
        }
        let mut inside = vec![false; self.members.len()];
        self.support.iter().for_each(|&place| inside[place] = true);
        for place in 0..self.members.len() {
            if self.u[place] == 0.0 || inside[place] {
                continue;
            }
            let row = &self.q[place * self.stride..];
            let cross: Vec<f64> = self.support.iter().map(|&other| row[other]).collect();
            let diagonal = 1.0 + scaled.ridge(lambda, self.members[place]);
            if !self.factor.push(&cross, diagonal) {
                return false;
            }
            self.support.push(place);
        }
        debug_assert_eq!(self.factor.len(), self.support.len());
        true
    }

    /// Recomputes `c - Q u` of every unknown from `u`: no rounding of updates left.
    pub(crate) fn refresh(&mut self, scaled: &Scaled, gradient: &mut [f64]) {
        dispatch(Refresh { working: self, scaled, gradient });
        for (place, &a) in self.members.iter().enumerate() {
            self.gradient[place] = gradient[a];
        }
    }
}

struct Sweep<'a> {
    working: &'a mut Working,
    scaled: &'a Scaled,
    lambda: f64,
}

impl Kernel for Sweep<'_> {
    type Output = Swept;
    #[inline(always)]
    fn run<I: Isa>(self) -> Swept {
        let Self { working, scaled, lambda } = self;
        let mut swept = Swept { changed: false, sign_changed: false };
        for place in 0..working.members.len() {
            let a = working.members[place];
            let old = working.u[place];
            let z = working.gradient[place] + old;
            let size = z.abs() - scaled.threshold(lambda, a);
            let new =
                if size > 0.0 { size.copysign(z) / (1.0 + scaled.ridge(lambda, a)) } else { 0.0 };
            if new == old {
                continue;
            }
            swept.changed = true;
            swept.sign_changed |= new * old <= 0.0;
            working.u[place] = new;
            let row = &working.q[place * working.stride..];
            axpy_wide::<I>(old - new, row, &mut working.gradient);
        }
        swept
    }
}

/// `gradient -= Q step` for a step on the support.
struct Move<'a> {
    q: &'a [f64],
    stride: usize,
    support: &'a [usize],
    step: &'a [f64],
    gradient: &'a mut [f64],
}

impl Kernel for Move<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for (&place, &step) in self.support.iter().zip(self.step) {
            axpy_wide::<I>(-step, &self.q[place * self.stride..], self.gradient);
        }
    }
}

struct Refresh<'a> {
    working: &'a Working,
    scaled: &'a Scaled,
    gradient: &'a mut [f64],
}

impl Kernel for Refresh<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { working, scaled, gradient } = self;
        gradient.copy_from_slice(&scaled.c);
        for (&a, &u) in working.members.iter().zip(&working.u).filter(|(_, u)| **u != 0.0) {
            axpy_wide::<I>(-u, scaled.row(a), gradient);
        }
    }
}
