//! Constrained fields, and their vector-Jacobian product.

use ndarray::{Array2, ArrayView2};

use super::geometry::dependent;
use super::{Geometry, MassBar, gather, scatter};
use crate::step::project;
use crate::{
    Bars, Constraint, FieldError, Inertia, LaneState, Parameters, Scalar, ThetaBar, VectorField,
    Workspace, check_dimension, coordinate_major, rows,
};

/// A mechanical system `H = p^T M^-1 p / 2 + V(q)` in coordinates that are held by constraints
/// `Phi(q) = 0`, autonomous and without inputs.
///
/// Its field is `q' = M^-1 p`, `p' = -grad V(q) + G^T lambda` with `G = D Phi(q)`; the multipliers
/// are those that keep `Phi`: `(G M^-1 G^T) lambda = G M^-1 grad V - v^T (D^2 Phi) v`, `v = q'`. States are
/// `(q, p)`, or `(q, v)` ([`StateForm`](crate::StateForm)).
///
/// Any method steps it as a field, and leaves the constraints by its own error;
/// [`Rattle`](crate::Rattle) and [`Projected`](crate::Projected) keep them.
pub trait Constrained<T: Scalar>: VectorField<T> {
    /// The constraints' formula.
    type Constraint: Constraint;

    /// The constraints.
    fn constraint(&self) -> &Self::Constraint;

    /// The masses, one a position.
    fn inertia(&self) -> &Inertia<T>;

    /// `force = -grad V(q)` for `batch` rows; both hold `n * B` numbers, coordinate-major.
    ///
    /// # Errors
    /// If a slice has another length, or the engine fails.
    fn force(
        &self,
        batch: usize,
        q: &[T],
        force: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError>;

    /// What [`VectorField::eval`] is of such a field: slopes of `batch` states.
    ///
    /// # Errors
    /// If a slice has another length, the force fails, or the constraints of a row are not
    /// independent.
    fn constrained_slope(
        &self,
        batch: usize,
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        check_slope(self, batch, x, dx)?;
        let (force, inner) = workspace.split(x.len() / 2);
        self.force(batch, &x[..x.len() / 2], force, inner)?;
        slope(self, batch, x, force, dx)
    }

    /// The states of shape (B, D), a row a state, moved onto the constraints along `M^-1 (D Phi)^T`, and
    /// their velocities into the tangent space: for measured or random states that obey them nearly.
    ///
    /// # Errors
    /// If the rows have another dimension than the field, or a row is too far off.
    fn project_rows(&self, x: ArrayView2<'_, T>) -> Result<Array2<T>, FieldError> {
        check_shape(self)?;
        check_dimension(self.dim(), x.ncols())?;
        let (batch, lanes) = (x.nrows(), coordinate_major(x));
        let mut out = vec![T::ZERO; lanes.len()];
        let multipliers = || vec![T::ZERO; constraints::<T, Self>() * batch];
        let (mut sigmas, mut mus) = (multipliers(), multipliers());
        let ones = vec![T::ONE; batch];
        project(self, &ones, &lanes, &mut out, [&mut sigmas, &mut mus])?;
        Ok(rows(&out, batch, x.ncols()))
    }

    /// How far states of shape (B, D), a row a state, are off the constraints: `Phi(q)`, then its rate
    /// `D Phi(q) q'`, shape (B, 2 C).
    ///
    /// # Errors
    /// If the rows have another dimension than the field.
    fn violation_rows(&self, x: ArrayView2<'_, T>) -> Result<Array2<T>, FieldError> {
        check_shape(self)?;
        check_dimension(self.dim(), x.ncols())?;
        let (count, half) = (constraints::<T, Self>(), x.ncols() / 2);
        let mut violation = Array2::zeros((x.nrows(), 2 * count));
        for (x, mut out) in x.outer_iter().zip(violation.outer_iter_mut()) {
            let q = PositionOf::<T, Self>::from_fn(|i| x[i]);
            let geometry = Geometry::new(self.constraint(), self.inertia(), q);
            let rates = geometry.along(|i| self.inertia().velocity(i, x[half + i]));
            let values = geometry.values();
            let both = values.as_ref().iter().chain(rates.as_ref()).enumerate();
            both.for_each(|(k, value)| out[k] = *value);
        }
        Ok(violation)
    }
}

/// The positions of a field.
type PositionOf<T, F> = <<F as Constrained<T>>::Constraint as Constraint>::Position<T>;

/// The number of a field's constraints.
pub(crate) fn constraints<T: Scalar, F: Constrained<T> + ?Sized>() -> usize {
    <<F::Constraint as Constraint>::Values<T> as LaneState<T>>::DIM
}

/// Checks that field, constraints and masses have the same number of coordinates.
///
/// # Errors
/// If they have not.
pub(crate) fn check_shape<T: Scalar, F: Constrained<T> + ?Sized>(
    field: &F,
) -> Result<(), FieldError> {
    let n = <PositionOf<T, F> as LaneState<T>>::DIM;
    check_dimension(2 * n, field.dim())?;
    FieldError::check_lengths(n, [("the masses", field.inertia().inverse_masses().len())])
}

/// What the evaluation of a constrained field keeps: the forces, and what they keep.
#[derive(Debug, Default)]
pub struct ConstrainedRecord<T, R> {
    batch: usize,
    force: Vec<T>,
    /// Cotangents of the forces, their share in the positions', and those of the inverse masses.
    scratch: Vec<T>,
    residuals: R,
}

/// A constrained field that trains.
pub trait DifferentiableConstrained<T: Scalar>: Constrained<T> + Parameters<T> {
    /// What an evaluation of the force keeps for its vector-Jacobian product.
    type ForceResiduals: Default + Send + 'static;

    /// [`Constrained::force`], keeping the residuals.
    ///
    /// # Errors
    /// As there.
    fn force_recorded(
        &self,
        batch: usize,
        q: &[T],
        force: &mut [T],
        residuals: &mut Self::ForceResiduals,
    ) -> Result<(), FieldError>;

    /// Overwrites `bars.x = (d force/dq)^T cotangent`, and adds the parameters' cotangent to
    /// `bars.theta`.
    ///
    /// # Errors
    /// If the engine fails.
    fn force_vjp(
        &self,
        q: &[T],
        residuals: &mut Self::ForceResiduals,
        cotangent: &[T],
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError>;

    /// Adds the parameters' share in the cotangents of the inverse masses, `n * B` numbers: none
    /// where masses are known.
    ///
    /// # Errors
    /// If a slice has another length.
    fn inverse_masses_vjp(
        &self,
        _inverse_masses_bar: &[T],
        _theta: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        Ok(())
    }

    /// What [`DifferentiableField::eval_recorded`](crate::DifferentiableField::eval_recorded) is of
    /// such a field.
    ///
    /// # Errors
    /// As [`Constrained::constrained_slope`].
    fn constrained_slope_recorded(
        &self,
        batch: usize,
        x: &[T],
        dx: &mut [T],
        record: &mut ConstrainedRecord<T, Self::ForceResiduals>,
    ) -> Result<(), FieldError> {
        check_slope(self, batch, x, dx)?;
        record.batch = batch;
        record.force.resize(x.len() / 2, T::ZERO);
        let (q, force) = (&x[..x.len() / 2], &mut record.force);
        self.force_recorded(batch, q, force, &mut record.residuals)?;
        slope(self, batch, x, force, dx)
    }

    /// What [`DifferentiableField::vjp`](crate::DifferentiableField::vjp) is of such a field: the exact
    /// one, by the implicit function theorem for the multipliers.
    ///
    /// # Errors
    /// If a slice has another length, or the force fails.
    fn constrained_slope_vjp(
        &self,
        x: &[T],
        record: &mut ConstrainedRecord<T, Self::ForceResiduals>,
        v: &[T],
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        let (batch, half) = (record.batch, x.len() / 2);
        bars.check(batch, [self.dim(), 0, self.num_params()], [x, v])?;
        FieldError::check_lengths(half, [("the residuals", record.force.len())])?;
        let Bars { x: x_bar, mut theta, .. } = bars;
        record.scratch.clear();
        record.scratch.resize(3 * half, T::ZERO);
        let (force_bar, rest) = record.scratch.split_at_mut(half);
        let (pulled, masses) = rest.split_at_mut(half);
        let mut mass_bar = MassBar::new(self.inertia().form(), masses, batch);
        for row in 0..batch {
            slope_vjp_row(self, [x, &record.force, v], row, [x_bar, force_bar], &mut mass_bar)
                .ok_or_else(|| dependent(row))?;
        }
        let bars = Bars::new(pulled).with_theta(theta.reborrow());
        self.force_vjp(&x[..half], &mut record.residuals, force_bar, bars)?;
        x_bar.iter_mut().zip(&*pulled).for_each(|(bar, more)| *bar += *more);
        self.inverse_masses_vjp(masses, theta)
    }
}

fn check_slope<T: Scalar, F: Constrained<T> + ?Sized>(
    field: &F,
    batch: usize,
    x: &[T],
    dx: &[T],
) -> Result<(), FieldError> {
    check_shape(field)?;
    let slices = [("the states", x.len()), ("the slopes", dx.len())];
    FieldError::check_lengths(field.dim().saturating_mul(batch), slices)
}

/// The multipliers at one row, and the whole force: `(lambda, f + G^T lambda)`.
fn multipliers<T: Scalar, C: Constraint>(
    geometry: &Geometry<'_, T, C>,
    force: &C::Position<T>,
    velocity: &C::Position<T>,
) -> Option<(C::Values<T>, C::Position<T>)> {
    let weights = geometry.inertia.inverse_masses();
    let free = geometry.along(|i| weights[i] * force.as_ref()[i]);
    let bending = geometry.bending(velocity);
    let wanted = C::Values::from_fn(|k| -(free.as_ref()[k] + bending.as_ref()[k]));
    let lambda = geometry.solve(geometry, wanted)?;
    let reaction = geometry.reaction(&lambda);
    Some((lambda, C::Position::from_fn(|i| force.as_ref()[i] + reaction.as_ref()[i])))
}

/// The slopes from the forces.
fn slope<T: Scalar, F: Constrained<T> + ?Sized>(
    field: &F,
    batch: usize,
    x: &[T],
    force: &[T],
    dx: &mut [T],
) -> Result<(), FieldError> {
    let (q, s) = x.split_at(x.len() / 2);
    let (dq, ds) = dx.split_at_mut(x.len() / 2);
    let inertia = field.inertia();
    for row in 0..batch {
        let geometry = Geometry::new(field.constraint(), inertia, gather(q, batch, row));
        let velocity = PositionOf::<T, F>::from_fn(|i| inertia.velocity(i, s[i * batch + row]));
        let (_, force) = multipliers(&geometry, &gather(force, batch, row), &velocity)
            .ok_or_else(|| dependent(row))?;
        scatter(&velocity, dq, batch, row);
        for (i, force) in force.as_ref().iter().enumerate() {
            ds[i * batch + row] = inertia.factors(i)[1] * *force;
        }
    }
    Ok(())
}

/// With the cotangents `a` of `q'` and `b` of `s'`: `mu` solves `(G M^-1 G^T) mu = G D b`, the force's
/// cotangent is `beta = D b - M^-1 G^T mu`, and
/// `q_bar = H(lambda) beta - H(mu) M^-1 f - grad (v^T H(mu) v)`, `v_bar = a - 2 H(mu) v`.
fn slope_vjp_row<T: Scalar, F: Constrained<T> + ?Sized>(
    field: &F,
    [x, force, v]: [&[T]; 3],
    row: usize,
    [x_bar, force_bar]: [&mut [T]; 2],
    masses: &mut MassBar<'_, T>,
) -> Option<()> {
    let half = x.len() / 2;
    let inertia = field.inertia();
    let batch = half / inertia.inverse_masses().len();
    let vector = |of: &dyn Fn(usize) -> T| PositionOf::<T, F>::from_fn(of);
    let ((q, s), (a, b)) = (x.split_at(half), v.split_at(half));
    let (a, b, s): (PositionOf<T, F>, PositionOf<T, F>, PositionOf<T, F>) =
        (gather(a, batch, row), gather(b, batch, row), gather(s, batch, row));
    let factors = |i: usize| inertia.factors(i);

    let geometry = Geometry::new(field.constraint(), inertia, gather(q, batch, row));
    let velocity = vector(&|i| factors(i)[0] * s.as_ref()[i]);
    let (lambda, f) = multipliers(&geometry, &gather(force, batch, row), &velocity)?;
    let db = vector(&|i| factors(i)[1] * b.as_ref()[i]);
    let mu = geometry.solve(&geometry, geometry.along(|i| db.as_ref()[i]))?;
    let along_mu = geometry.reaction(&mu);
    let beta = vector(&|i| db.as_ref()[i] - factors(i)[2] * along_mu.as_ref()[i]);
    let acceleration = vector(&|i| factors(i)[2] * f.as_ref()[i]);

    let by_lambda = geometry.curvature(&lambda, &beta);
    let by_mu = geometry.curvature(&mu, &acceleration);
    let by_bending = geometry.bending_gradient(&mu, &velocity);
    let by_velocity = geometry.curvature(&mu, &velocity);
    let (q_bar, s_bar) = x_bar.split_at_mut(half);
    for i in 0..inertia.inverse_masses().len() {
        let at = i * batch + row;
        q_bar[at] = by_lambda.as_ref()[i] - by_mu.as_ref()[i] - by_bending.as_ref()[i];
        let twice = by_velocity.as_ref()[i] + by_velocity.as_ref()[i];
        let velocity_bar = a.as_ref()[i] - twice;
        s_bar[at] = factors(i)[0] * velocity_bar;
        force_bar[at] = beta.as_ref()[i];
        let (s, f) = (s.as_ref()[i], f.as_ref()[i]);
        masses.add(row, i, [velocity_bar * s, b.as_ref()[i] * f, -(along_mu.as_ref()[i] * f)]);
    }
    Some(())
}
