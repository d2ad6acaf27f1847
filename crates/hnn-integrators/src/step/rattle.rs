//! RATTLE: the symplectic method of order 2 for constrained systems, and its discrete adjoint.
//!
//! From `(q, s)`, with `q' = E s` and `s' = D f`:
//! `u = s + D (h/2 f(q) + G(q)^T tau)`, `q_1 = q + h E u`, `tau` such that `Phi(q_1) = 0`;
//! `s_1 = u + D (h/2 f(q_1) + G(q_1)^T mu)`, `mu` such that `G(q_1) E s_1 = 0`
//! (Hairer, Lubich and Wanner, *Geometric Numerical Integration*, section VII.1.4).

use super::manifold::{project_positions, project_rates, pull_positions, pull_rates};
use crate::constraint::{Geometry, MassBar, check_shape, constraints, dependent, gather, scatter};
use crate::{
    Bars, Constrained, Constraint, DifferentiableConstrained, DifferentiableStepper, FieldError,
    Interval, LaneState, Scalar, Stepper, Workspace,
};

/// RATTLE (Andersen 1983): velocity Verlet for [`Constrained`] systems. Symmetric, symplectic, of order
/// 2, two forces a step; positions and velocities obey the constraints to rounding after each step.
///
/// A step of length 0 leaves a state as it is, on the constraints or not.
///
/// ```
/// use hnn_integrators::{Constraint, FixedStep, RATTLE};
/// # use hnn_integrators::{At, Constrained, FieldError, Inertia, Lane, StateForm, VectorField, Workspace};
/// use ndarray::array;
/// /// A point that slides on the unit circle: no force but the constraint's.
/// struct Circle(Inertia<f64>);
/// impl Constraint for Circle {
///     type Position<L: Lane> = [L; 2];
///     type Values<E: Copy> = [E; 1];
///     fn values_lanes<L: Lane>(&self, [x, y]: &[L; 2]) -> [L; 1] {
///         [*x * *x + *y * *y - L::constant(1.0)]
///     }
/// }
/// # impl VectorField<f64> for Circle {
/// #     fn dim(&self) -> usize { 4 }
/// #     fn eval(&self, at: At<'_, f64>, x: &[f64], dx: &mut [f64], ws: &mut Workspace<f64>) -> Result<(), FieldError> {
/// #         self.constrained_slope(at.batch(), x, dx, ws)
/// #     }
/// # }
/// # impl Constrained<f64> for Circle {
/// #     type Constraint = Self;
/// #     fn constraint(&self) -> &Self { self }
/// #     fn inertia(&self) -> &Inertia<f64> { &self.0 }
/// #     fn force(&self, _: usize, _: &[f64], force: &mut [f64], _: &mut Workspace<f64>) -> Result<(), FieldError> {
/// #         force.fill(0.0);
/// #         Ok(())
/// #     }
/// # }
/// // impl Constrained<f64> for Circle { .. }
/// let circle = Circle(Inertia::new(StateForm::Canonical, vec![1.0; 2])?);
/// let run = FixedStep::size(RATTLE, 0.1).run(&circle, (0.0, 10.0), array![[1.0, 0.0, 0.0, 1.0]].view())?;
/// let (x, y) = (run.last()[[0, 0]], run.last()[[0, 1]]);
/// assert!((x * x + y * y - 1.0).abs() < 1e-14);
/// // Of order 2, the angle is 10 but for an error of h^2.
/// assert!((y.atan2(x) - (10.0 - 4.0 * std::f64::consts::PI)).abs() < 0.05);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rattle;

/// [`Rattle`].
pub const RATTLE: Rattle = Rattle;

type Position<T, F> = <<F as Constrained<T>>::Constraint as Constraint>::Position<T>;
type Values<T, F> = <<F as Constrained<T>>::Constraint as Constraint>::Values<T>;

/// Writes the positions at the end of a step to the first half of `out`, `u` to the second, and
/// `h tau`.
fn drift<T: Scalar, F: Constrained<T> + ?Sized>(
    field: &F,
    dt: &[T],
    x: &[T],
    force: &[T],
    out: &mut [T],
    impulse: &mut [T],
) -> Result<(), FieldError> {
    let (batch, half) = (dt.len(), x.len() / 2);
    let inertia = field.inertia();
    let (out_q, out_s) = out.split_at_mut(half);
    for (row, &h) in dt.iter().enumerate() {
        let (q, s): (Position<T, F>, Position<T, F>) =
            (gather(&x[..half], batch, row), gather(&x[half..], batch, row));
        if h == T::ZERO {
            scatter(&q, out_q, batch, row);
            scatter(&s, out_s, batch, row);
            continue;
        }
        let kicked = Position::<T, F>::from_fn(|i| {
            let kick = T::from_f64(0.5) * h * force[i * batch + row];
            s.as_ref()[i] + inertia.factors(i)[1] * kick
        });
        let start = Position::<T, F>::from_fn(|i| {
            q.as_ref()[i] + h * inertia.velocity(i, kicked.as_ref()[i])
        });
        let from = Geometry::new(field.constraint(), inertia, q);
        let (end, sigma) = project_positions(&from, &start, row)?;
        scatter(&end.q, out_q, batch, row);
        let reaction = from.reaction(&sigma);
        for (i, kicked) in kicked.as_ref().iter().enumerate() {
            let push = inertia.factors(i)[1] * reaction.as_ref()[i] / h;
            out_s[i * batch + row] = *kicked + push;
        }
        scatter(&sigma, impulse, batch, row);
    }
    Ok(())
}

/// The second half of a step: from `u` in the second half of `out` to `s_1`, and `mu`.
fn kick<T: Scalar, F: Constrained<T> + ?Sized>(
    field: &F,
    dt: &[T],
    force: &[T],
    out: &mut [T],
    mu: &mut [T],
) -> Result<(), FieldError> {
    let (batch, half) = (dt.len(), out.len() / 2);
    let inertia = field.inertia();
    let (q, s) = out.split_at_mut(half);
    for (row, &h) in dt.iter().enumerate() {
        if h == T::ZERO {
            continue;
        }
        let kicked = Position::<T, F>::from_fn(|i| {
            let at = i * batch + row;
            s[at] + inertia.factors(i)[1] * (T::from_f64(0.5) * h * force[at])
        });
        let geometry = Geometry::new(field.constraint(), inertia, gather(q, batch, row));
        let (end, multipliers) = project_rates(&geometry, &kicked).ok_or_else(|| dependent(row))?;
        scatter(&end, s, batch, row);
        scatter(&multipliers, mu, batch, row);
    }
    Ok(())
}

impl<T: Scalar, F: Constrained<T> + ?Sized> Stepper<T, F> for Rattle {
    fn name(&self) -> &str {
        "RATTLE"
    }

    fn step(
        &self,
        field: &F,
        over: Interval<'_, T>,
        x: &[T],
        out: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let states = [("the states", x.len()), ("the next states", out.len())];
        check_shape(field)?;
        over.check(field.dim(), 0, states)?;
        let (batch, half) = (over.batch(), x.len() / 2);
        let (own, inner) = workspace.split(half + constraints::<T, F>() * batch);
        let (force, multipliers) = own.split_at_mut(half);
        field.force(batch, &x[..half], force, inner)?;
        drift(field, over.dt, x, force, out, multipliers)?;
        field.force(batch, &out[..half], force, inner)?;
        kick(field, over.dt, force, out, multipliers)
    }
}

/// A recorded step of [`Rattle`].
#[derive(Debug)]
pub struct RattleTape<T, R> {
    dt: Vec<T>,
    /// The states at the begin and at the end.
    x: Vec<T>,
    end: Vec<T>,
    /// The forces at both; on the way back their cotangents.
    forces: [Vec<T>; 2],
    /// `h tau` and `mu`.
    multipliers: [Vec<T>; 2],
    pulled: Vec<T>,
    masses: Vec<T>,
    residuals: [R; 2],
}

impl<T, R: Default> Default for RattleTape<T, R> {
    fn default() -> Self {
        Self {
            dt: Vec::new(),
            x: Vec::new(),
            end: Vec::new(),
            forces: [Vec::new(), Vec::new()],
            multipliers: [Vec::new(), Vec::new()],
            pulled: Vec::new(),
            masses: Vec::new(),
            residuals: [R::default(), R::default()],
        }
    }
}

impl<T: Scalar, F: DifferentiableConstrained<T> + ?Sized> DifferentiableStepper<T, F> for Rattle {
    type Tape = RattleTape<T, F::ForceResiduals>;

    fn record(
        &self,
        field: &F,
        over: Interval<'_, T>,
        x: &[T],
        out: &mut [T],
        tape: &mut Self::Tape,
    ) -> Result<(), FieldError> {
        let states = [("the states", x.len()), ("the next states", out.len())];
        check_shape(field)?;
        over.check(field.dim(), 0, states)?;
        let (batch, half) = (over.batch(), x.len() / 2);
        tape.dt.clear();
        tape.dt.extend_from_slice(over.dt);
        tape.x.clear();
        tape.x.extend_from_slice(x);
        tape.forces.iter_mut().for_each(|force| force.resize(half, T::ZERO));
        for multipliers in &mut tape.multipliers {
            multipliers.resize(constraints::<T, F>() * batch, T::ZERO);
        }
        let ([first, last], [impulse, mu]) = (&mut tape.forces, &mut tape.multipliers);
        field.force_recorded(batch, &x[..half], first, &mut tape.residuals[0])?;
        drift(field, over.dt, x, first, out, impulse)?;
        field.force_recorded(batch, &out[..half], last, &mut tape.residuals[1])?;
        kick(field, over.dt, last, out, mu)?;
        tape.end.clear();
        tape.end.extend_from_slice(out);
        Ok(())
    }

    fn pull_back(
        &self,
        field: &F,
        tape: &mut Self::Tape,
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        let (half, batch) = (tape.x.len() / 2, tape.dt.len());
        FieldError::check_lengths(2 * half, [("the states' cotangents", bars.x.len())])?;
        bars.check_inputs(0)?;
        let Bars { x: x_bar, mut theta, .. } = bars;
        tape.pulled.resize(half, T::ZERO);
        tape.masses.clear();
        tape.masses.resize(half, T::ZERO);
        for row in 0..batch {
            pull_kick(field, tape, x_bar, row).ok_or_else(|| dependent(row))?;
        }
        for (at, drift_first) in [(1, true), (0, false)] {
            let RattleTape { x, end, forces, pulled, residuals, .. } = &mut *tape;
            let q = if at == 1 { &end[..half] } else { &x[..half] };
            let bars = Bars::new(pulled).with_theta(theta.reborrow());
            field.force_vjp(q, &mut residuals[at], &forces[at], bars)?;
            x_bar.iter_mut().zip(&*pulled).for_each(|(bar, more)| *bar += *more);
            if drift_first {
                for row in 0..batch {
                    pull_drift(field, tape, x_bar, row).ok_or_else(|| dependent(row))?;
                }
            }
        }
        field.inverse_masses_vjp(&tape.masses, theta)
    }
}

/// Back through the second kick: from the cotangent of `s_1` to that of `u`, and to those of the end's
/// positions and force.
fn pull_kick<T: Scalar, F: DifferentiableConstrained<T> + ?Sized>(
    field: &F,
    tape: &mut RattleTape<T, F::ForceResiduals>,
    x_bar: &mut [T],
    row: usize,
) -> Option<()> {
    let (half, batch) = (x_bar.len() / 2, tape.dt.len());
    let (inertia, [_, last]) = (field.inertia(), &mut tape.forces);
    let (q_bar, s_bar) = x_bar.split_at_mut(half);
    let (q, s) = tape.end.split_at(half);
    let h = tape.dt[row];
    if h == T::ZERO {
        (0..half / batch).for_each(|i| last[i * batch + row] = T::ZERO);
        return Some(());
    }
    let mut masses = MassBar::new(inertia.form(), &mut tape.masses, batch);
    let geometry = Geometry::new(field.constraint(), inertia, gather(q, batch, row));
    let (mu, end) = (gather(&tape.multipliers[1], batch, row), gather(s, batch, row));
    let [u_bar, turned] =
        pull_rates(&geometry, &end, &mu, &gather(s_bar, batch, row), row, &mut masses)?;
    scatter(&u_bar, s_bar, batch, row);
    for (i, u_bar) in u_bar.as_ref().iter().enumerate() {
        let (at, kick) = (i * batch + row, T::from_f64(0.5) * h * *u_bar);
        q_bar[at] += turned.as_ref()[i];
        masses.add(row, i, [T::ZERO, kick * last[at], T::ZERO]);
        last[at] = inertia.factors(i)[1] * kick;
    }
    Some(())
}

/// Back through the first kick and the drift: from the cotangents of `q_1` and `u` to those of
/// `q`, `s` and the begin's force. With `c` and `g / h` what these are along the constraints,
/// `s_bar = c + E g` and `q_bar = g / h + H(tau) D s_bar`.
fn pull_drift<T: Scalar, F: DifferentiableConstrained<T> + ?Sized>(
    field: &F,
    tape: &mut RattleTape<T, F::ForceResiduals>,
    x_bar: &mut [T],
    row: usize,
) -> Option<()> {
    let (half, batch) = (x_bar.len() / 2, tape.dt.len());
    let (inertia, [first, _]) = (field.inertia(), &mut tape.forces);
    let factors = |i: usize| inertia.factors(i);
    let vector = |of: &dyn Fn(usize) -> T| Position::<T, F>::from_fn(of);
    let (q_bar, s_bar) = x_bar.split_at_mut(half);
    let h = tape.dt[row];
    if h == T::ZERO {
        (0..half / batch).for_each(|i| first[i * batch + row] = T::ZERO);
        return Some(());
    }
    let mut masses = MassBar::new(inertia.form(), &mut tape.masses, batch);
    let from = Geometry::new(field.constraint(), inertia, gather(&tape.x[..half], batch, row));
    let to = from.elsewhere(gather(&tape.end[..half], batch, row));
    let impulse: Values<T, F> = gather(&tape.multipliers[0], batch, row);
    let tau = Values::<T, F>::from_fn(|k| impulse.as_ref()[k] / h);
    let reaction = from.reaction(&tau);
    let s: Position<T, F> = gather(&tape.x[half..], batch, row);
    let c: Position<T, F> = gather(s_bar, batch, row);
    let scaled = vector(&|i| h * q_bar[i * batch + row]);
    let g = pull_positions(&from, &to, &scaled, |i| factors(i)[1] * c.as_ref()[i])?;
    let u_bar = vector(&|i| c.as_ref()[i] + factors(i)[0] * g.as_ref()[i]);
    let pushed = vector(&|i| factors(i)[1] * u_bar.as_ref()[i]);
    let turned = from.curvature(&tau, &pushed);
    scatter(&u_bar, s_bar, batch, row);
    for i in 0..half / batch {
        let (at, half_step) = (i * batch + row, T::from_f64(0.5) * h);
        let push = half_step * first[at] + reaction.as_ref()[i];
        let u = s.as_ref()[i] + factors(i)[1] * push;
        q_bar[at] = g.as_ref()[i] / h + turned.as_ref()[i];
        masses.add(row, i, [g.as_ref()[i] * u, u_bar.as_ref()[i] * push, T::ZERO]);
        first[at] = half_step * pushed.as_ref()[i];
    }
    Some(())
}
