//! Back to the constraints, a row at a time: positions onto `Phi(q) = 0`, velocities into its tangent
//! space, and the cotangents of both.
//!
//! The derivatives are those of the converged equations, by the implicit function theorem, whatever
//! the iterations were.

use crate::constraint::{Geometry, MassBar};
use crate::{Constraint, FieldError, LaneState, Scalar};

/// Iterations before positions are given up. Newton's method doubles the digits in each.
const MOST_ITERATIONS: usize = 30;

/// What holds at positions on the constraints, and the multipliers that led there.
type Landing<'a, T, C> = (Geometry<'a, T, C>, <C as Constraint>::Values<T>);

/// The positions `q = start + M^-1 G_from^T sigma` with `Phi(q) = 0`, and `sigma`.
pub(super) fn project_positions<'a, T: Scalar, C: Constraint>(
    from: &Geometry<'a, T, C>,
    start: &C::Position<T>,
    row: usize,
) -> Result<Landing<'a, T, C>, FieldError> {
    let weights = from.inertia.inverse_masses();
    let largest = |q: &C::Position<T>| {
        q.as_ref().iter().fold(T::ZERO, |most, q| Scalar::max(most, crate::Lane::abs(*q)))
    };
    // What is left after a correction is of the size of its square.
    let enough = T::from_f64(0.1 * T::EPSILON.to_f64().sqrt());
    let mut sigma = C::Values::from_fn(|_| T::ZERO);
    let mut geometry = from.elsewhere(*start);
    let mut residual = f64::NAN;
    for _ in 0..MOST_ITERATIONS {
        let values = geometry.values();
        let Some(change) = geometry.solve(from, values) else { break };
        for (sigma, change) in sigma.as_mut().iter_mut().zip(change.as_ref()) {
            *sigma -= *change;
        }
        let reaction = from.reaction(&sigma);
        let at = |i: usize| start.as_ref()[i] + weights[i] * reaction.as_ref()[i];
        let next = C::Position::from_fn(at);
        let moved = C::Position::from_fn(|i| next.as_ref()[i] - geometry.q.as_ref()[i]);
        let (moved, size) = (largest(&moved), Scalar::max(largest(&next), largest(&geometry.q)));
        // The largest of numbers some of which are not numbers may be one.
        let finite = next.as_ref().iter().all(|q| q.is_finite());
        geometry = geometry.elsewhere(next);
        residual = if finite { (moved / size).to_f64() } else { f64::NAN };
        if !finite {
            break;
        }
        if moved <= enough * size {
            return Ok((geometry, sigma));
        }
    }
    Err(FieldError::OffConstraints { row, residual })
}

/// The second half `r + D G^T mu` of the state that moves along the constraints, `G E s = 0`, and
/// `mu`; `None` where they are not independent.
pub(super) fn project_rates<T: Scalar, C: Constraint>(
    geometry: &Geometry<'_, T, C>,
    r: &C::Position<T>,
) -> Option<(C::Position<T>, C::Values<T>)> {
    let factors = |i: usize| geometry.inertia.factors(i);
    let off = geometry.along(|i| factors(i)[0] * r.as_ref()[i]);
    let mu = geometry.solve(geometry, C::Values::from_fn(|k| -off.as_ref()[k]))?;
    let reaction = geometry.reaction(&mu);
    let s = C::Position::from_fn(|i| r.as_ref()[i] + factors(i)[1] * reaction.as_ref()[i]);
    Some((s, mu))
}

/// The cotangents of `r` and of the positions from that of `s`, of [`project_rates`]: with
/// `(G M^-1 G^T) nu = G D s_bar`, `r_bar = s_bar - E G^T nu` and
/// `q_bar = H(mu) D r_bar - H(nu) E s`.
pub(super) fn pull_rates<T: Scalar, C: Constraint>(
    geometry: &Geometry<'_, T, C>,
    s: &C::Position<T>,
    mu: &C::Values<T>,
    s_bar: &C::Position<T>,
    row: usize,
    masses: &mut MassBar<'_, T>,
) -> Option<[C::Position<T>; 2]> {
    let factors = |i: usize| geometry.inertia.factors(i);
    let vector = |of: &dyn Fn(usize) -> T| C::Position::<T>::from_fn(of);
    let nu = geometry.solve(geometry, geometry.along(|i| factors(i)[1] * s_bar.as_ref()[i]))?;
    let (by_mu, by_nu) = (geometry.reaction(mu), geometry.reaction(&nu));
    let r_bar = vector(&|i| s_bar.as_ref()[i] - factors(i)[0] * by_nu.as_ref()[i]);
    let push = geometry.curvature(mu, &vector(&|i| factors(i)[1] * r_bar.as_ref()[i]));
    let turn = geometry.curvature(&nu, &vector(&|i| factors(i)[0] * s.as_ref()[i]));
    for i in 0..r_bar.as_ref().len() {
        let by_e = -(by_nu.as_ref()[i] * s.as_ref()[i]);
        masses.add(row, i, [by_e, r_bar.as_ref()[i] * by_mu.as_ref()[i], T::ZERO]);
    }
    Some([r_bar, vector(&|i| push.as_ref()[i] - turn.as_ref()[i])])
}

/// What is left of the cotangent `q_bar` of [`project_positions`] along the constraints,
/// `g = q_bar - G^T kappa` with `(G_from M^-1 G^T) kappa = G_from (M^-1 q_bar + extra)`: the cotangent
/// of `start`.
pub(super) fn pull_positions<T: Scalar, C: Constraint>(
    from: &Geometry<'_, T, C>,
    to: &Geometry<'_, T, C>,
    q_bar: &C::Position<T>,
    extra: impl Fn(usize) -> T,
) -> Option<C::Position<T>> {
    let weights = from.inertia.inverse_masses();
    let kappa = from.solve(to, from.along(|i| weights[i] * q_bar.as_ref()[i] + extra(i)))?;
    let reaction = to.reaction(&kappa);
    Some(C::Position::from_fn(|i| q_bar.as_ref()[i] - reaction.as_ref()[i]))
}
