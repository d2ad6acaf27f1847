//! Any method, and back to the constraints after each of its steps.
//!
//! From the step's end `(q, s)`: `q_1 = q + M^-1 G(q)^T sigma` with `Phi(q_1) = 0`, and
//! `s_1 = s + D G(q_1)^T mu` with `G(q_1) E s_1 = 0`: the nearest such state to first order, in the
//! metric of the masses (Hairer, Lubich and Wanner, *Geometric Numerical Integration*, section IV.4).

use super::manifold::{project_positions, project_rates, pull_positions, pull_rates};
use crate::constraint::{Geometry, MassBar, check_shape, constraints, dependent, gather, scatter};
use crate::{
    Bars, Constrained, Constraint, DifferentiableConstrained, DifferentiableStepper, FieldError,
    Interval, LaneState, Scalar, StartSlope, Stepper, Workspace,
};

/// The steps of another method, each followed by a projection onto the constraints of a
/// [`Constrained`] system: of the method's order, and positions and velocities obey the constraints to
/// rounding.
///
/// `Projected(RK4)` is the standard projection method. It is neither symmetric nor symplectic
/// ([`Rattle`](crate::Rattle) is both), but of any order. A step of length 0 leaves a state as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Projected<S>(pub S);

type Position<T, F> = <<F as Constrained<T>>::Constraint as Constraint>::Position<T>;
type Values<T, F> = <<F as Constrained<T>>::Constraint as Constraint>::Values<T>;

/// Projects states `x` to `out`; multipliers of positions and of rates go to `multipliers`.
pub(crate) fn project<T: Scalar, F: Constrained<T> + ?Sized>(
    field: &F,
    dt: &[T],
    x: &[T],
    out: &mut [T],
    [sigmas, mus]: [&mut [T]; 2],
) -> Result<(), FieldError> {
    let (batch, half) = (dt.len(), x.len() / 2);
    let (out_q, out_s) = out.split_at_mut(half);
    for (row, h) in dt.iter().enumerate() {
        let (q, s): (Position<T, F>, Position<T, F>) =
            (gather(&x[..half], batch, row), gather(&x[half..], batch, row));
        if *h == T::ZERO {
            scatter(&q, out_q, batch, row);
            scatter(&s, out_s, batch, row);
            continue;
        }
        let from = Geometry::new(field.constraint(), field.inertia(), q);
        let (to, sigma) = project_positions(&from, &q, row)?;
        let (s, mu) = project_rates(&to, &s).ok_or_else(|| dependent(row))?;
        scatter(&to.q, out_q, batch, row);
        scatter(&s, out_s, batch, row);
        scatter(&sigma, sigmas, batch, row);
        scatter(&mu, mus, batch, row);
    }
    Ok(())
}

impl<T, F, S> Stepper<T, F> for Projected<S>
where
    T: Scalar,
    F: Constrained<T> + ?Sized,
    S: Stepper<T, F>,
{
    fn name(&self) -> &str {
        "standard projection"
    }

    fn step(
        &self,
        field: &F,
        over: Interval<'_, T>,
        x: &[T],
        out: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        check_shape(field)?;
        let multipliers = constraints::<T, F>() * over.batch();
        let (own, inner) = workspace.split(x.len() + 2 * multipliers);
        let (end, own) = own.split_at_mut(x.len());
        let (sigmas, mus) = own.split_at_mut(multipliers);
        self.0.step(field, over, x, end, inner)?;
        FieldError::check_lengths(x.len(), [("the next states", out.len())])?;
        project(field, over.dt, end, out, [sigmas, mus])
    }
}

/// A recorded step of [`Projected`]: that of the method, and of the projection.
#[derive(Debug)]
pub struct ProjectedTape<T, R> {
    method: R,
    dt: Vec<T>,
    /// The method's end, and the projected one.
    end: Vec<T>,
    projected: Vec<T>,
    multipliers: [Vec<T>; 2],
    masses: Vec<T>,
}

impl<T, R: Default> Default for ProjectedTape<T, R> {
    fn default() -> Self {
        Self {
            method: R::default(),
            dt: Vec::new(),
            end: Vec::new(),
            projected: Vec::new(),
            multipliers: [Vec::new(), Vec::new()],
            masses: Vec::new(),
        }
    }
}

impl<T, F, S> DifferentiableStepper<T, F> for Projected<S>
where
    T: Scalar,
    F: DifferentiableConstrained<T> + ?Sized,
    S: DifferentiableStepper<T, F>,
{
    type Tape = ProjectedTape<T, S::Tape>;

    fn record(
        &self,
        field: &F,
        over: Interval<'_, T>,
        x: &[T],
        out: &mut [T],
        tape: &mut Self::Tape,
    ) -> Result<(), FieldError> {
        check_shape(field)?;
        FieldError::check_lengths(x.len(), [("the next states", out.len())])?;
        tape.end.resize(x.len(), T::ZERO);
        self.0.record(field, over, x, &mut tape.end, &mut tape.method)?;
        tape.dt.clear();
        tape.dt.extend_from_slice(over.dt);
        for multipliers in &mut tape.multipliers {
            multipliers.resize(constraints::<T, F>() * over.batch(), T::ZERO);
        }
        let [sigmas, mus] = &mut tape.multipliers;
        project(field, over.dt, &tape.end, out, [sigmas, mus])?;
        tape.projected.clear();
        tape.projected.extend_from_slice(out);
        Ok(())
    }

    fn pull_back(
        &self,
        field: &F,
        tape: &mut Self::Tape,
        mut bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        FieldError::check_lengths(tape.end.len(), [("the states' cotangents", bars.x.len())])?;
        tape.masses.clear();
        tape.masses.resize(tape.end.len() / 2, T::ZERO);
        for row in 0..tape.dt.len() {
            pull_projection(field, tape, bars.x, row).ok_or_else(|| dependent(row))?;
        }
        field.inverse_masses_vjp(&tape.masses, bars.theta.reborrow())?;
        self.0.pull_back(field, &mut tape.method, bars)
    }

    fn start_slope<'a>(&self, field: &F, tape: &'a mut Self::Tape) -> Option<StartSlope<'a, T>> {
        self.0.start_slope(field, &mut tape.method)
    }
}

/// Back through the projection of one row: with `g` what the positions' cotangent is along the
/// constraints, `q_bar = g + H(sigma) M^-1 g`.
fn pull_projection<T: Scalar, F: Constrained<T> + ?Sized, R>(
    field: &F,
    tape: &mut ProjectedTape<T, R>,
    x_bar: &mut [T],
    row: usize,
) -> Option<()> {
    if tape.dt[row] == T::ZERO {
        return Some(());
    }
    let (half, batch, inertia) = (x_bar.len() / 2, tape.dt.len(), field.inertia());
    let (q_bar, s_bar) = x_bar.split_at_mut(half);
    let mut masses = MassBar::new(inertia.form(), &mut tape.masses, batch);
    let from = Geometry::new(field.constraint(), inertia, gather(&tape.end[..half], batch, row));
    let to = from.elsewhere(gather(&tape.projected[..half], batch, row));
    let [sigma, mu]: [Values<T, F>; 2] = [0, 1].map(|i| gather(&tape.multipliers[i], batch, row));
    let s = gather(&tape.projected[half..], batch, row);
    let [r_bar, turned] = pull_rates(&to, &s, &mu, &gather(s_bar, batch, row), row, &mut masses)?;
    let total = Position::<T, F>::from_fn(|i| q_bar[i * batch + row] + turned.as_ref()[i]);
    let g = pull_positions(&from, &to, &total, |_| T::ZERO)?;
    let weights = inertia.inverse_masses();
    let weighted = Position::<T, F>::from_fn(|i| weights[i] * g.as_ref()[i]);
    let (curved, reaction) = (from.curvature(&sigma, &weighted), from.reaction(&sigma));
    for (i, g) in g.as_ref().iter().enumerate() {
        q_bar[i * batch + row] = *g + curved.as_ref()[i];
        masses.add(row, i, [T::ZERO, T::ZERO, *g * reaction.as_ref()[i]]);
    }
    scatter(&r_bar, s_bar, batch, row);
    Some(())
}
