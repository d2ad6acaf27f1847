//! Lagrangians whose Euler-Lagrange equation trains.

use hnn_integrators::{FieldError, Scalar, ThetaBar, Workspace};

use crate::{Keep, ModelError, Network};

/// A learned Lagrangian `L(q, v; theta)` with everything the Euler-Lagrange equation needs, and
/// the pull-back through that equation.
///
/// A state is `x = [q, v]`, with `m` coordinates and `n` velocities, `D = m + n`. For a Lagrangian
/// of generalised coordinates m = n and dq/dt = v; behind a change of coordinates (angles as
/// cosines and sines, see [`Angles`](crate::Angles)) there are more coordinates than velocities,
/// so the coordinates' rate `q_dot` is an argument of its own. Its length says what `m` is.
///
/// Batches are coordinate-major, as everywhere (see [`hnn_integrators`]).
pub trait DifferentiableLagrangian<T: Scalar>: Network<T> {
    /// What an evaluation of the terms keeps for its pull-back.
    type Residuals: Default + Send + 'static;

    /// Whether the Lagrangian can be one of `velocities` velocities.
    ///
    /// # Errors
    /// If it cannot. A network of all inputs alike can.
    fn check(&self, velocities: usize) -> Result<(), ModelError> {
        let _ = velocities;
        Ok(())
    }

    /// `value[row] = L(x_row)` for `B = value.len()` states.
    ///
    /// # Errors
    /// If the engine fails.
    fn lagrangian(
        &self,
        x: &[T],
        value: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError>;

    /// The derivatives that the Euler-Lagrange equation is made of, for `batch` states.
    ///
    /// # Errors
    /// If the engine fails.
    fn terms(
        &self,
        batch: usize,
        x: &[T],
        q_dot: &[T],
        terms: LagrangianTerms<'_, T>,
        keep: Keep<'_, T, Self::Residuals>,
    ) -> Result<(), FieldError>;

    /// Pulls the Euler-Lagrange residual back: for each row
    ///
    /// `phi = D_(eta, 0) L - D_(0, lambda) D_(q_dot, q_ddot) L`,
    ///
    /// with all four directions held fixed. With eta = lambda this is
    /// `lambda . (dL/dq - (d2L/dv dq) q_dot - (d2L/dv2) q_ddot)`.
    /// **Overwrites** `x_bar = dphi/dx` (D * B) and `q_dot_bar = dphi/dq_dot` (m * B), and **adds**
    /// `dphi/dtheta` to `theta_bar`, summed over the rows or row by row.
    /// May be called once for each recording: it may overwrite the residuals.
    ///
    /// # Errors
    /// If the engine fails.
    fn terms_vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        directions: &EulerLagrange<'_, T>,
        bars: MotionBars<'_, T>,
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError>;

    /// The size of each coordinate of a state, velocities last, where it is known: masses are
    /// compared in units of them.
    fn sizes(&self) -> Option<&[f64]> {
        None
    }

    /// See [`VectorField::block_len`](hnn_integrators::VectorField::block_len).
    fn block_len(&self) -> usize {
        64
    }
}

/// Where [`DifferentiableLagrangian::terms`] writes its results.
#[derive(Debug)]
pub struct LagrangianTerms<'a, T> {
    /// `dL/dx`, D * B.
    pub gradient: &'a mut [T],
    /// The mass matrix `d2L/dv_i dv_j`, entry (i, j) of all rows at `(i * n + j) * B`.
    pub mass: &'a mut [T],
    /// `(d2L/dv dq) q_dot`, n * B: with q_dot = v, the terms quadratic in the velocities.
    pub mixed: &'a mut [T],
}

impl<T> LagrangianTerms<'_, T> {
    /// Checks that the slices fit `batch` states of dimension `dim` and their coordinates' rates,
    /// and returns the number of velocities `n`.
    ///
    /// # Errors
    /// If one has another length.
    pub fn check(
        &self,
        dim: usize,
        batch: usize,
        x: &[T],
        q_dot: &[T],
    ) -> Result<usize, FieldError> {
        let slices = [("the states", x.len()), ("the gradients", self.gradient.len())];
        FieldError::check_lengths(dim * batch, slices)?;
        let n = velocities(dim, batch, q_dot)?;
        FieldError::check_lengths(n * n * batch, [("the mass matrices", self.mass.len())])?;
        FieldError::check_lengths(n * batch, [("the mixed terms", self.mixed.len())])?;
        Ok(n)
    }

    /// The same places, lent for a shorter time.
    pub fn reborrow(&mut self) -> LagrangianTerms<'_, T> {
        LagrangianTerms { gradient: self.gradient, mass: self.mass, mixed: self.mixed }
    }
}

/// The directions of the Euler-Lagrange residual in [`DifferentiableLagrangian::terms_vjp`].
#[derive(Debug, Clone, Copy)]
pub struct EulerLagrange<'a, T> {
    /// Rate of the coordinates, m * B, as it was recorded.
    pub q_dot: &'a [T],
    /// Rate of the velocities, n * B.
    pub q_ddot: &'a [T],
    /// What `dL/dq` is tested against, m * B.
    pub eta: &'a [T],
    /// What `d/dt dL/dv` is tested against, n * B.
    pub lambda: &'a [T],
}

impl<T> EulerLagrange<'_, T> {
    /// Checks that the slices fit `batch` states of dimension `dim` and the cotangents asked for,
    /// and returns the number of velocities `n`.
    ///
    /// # Errors
    /// If one has another length.
    pub fn check(
        &self,
        dim: usize,
        batch: usize,
        x: &[T],
        bars: &MotionBars<'_, T>,
    ) -> Result<usize, FieldError> {
        let slices = [("the states", x.len()), ("the states' cotangents", bars.x.len())];
        FieldError::check_lengths(dim * batch, slices)?;
        let n = velocities(dim, batch, self.q_dot)?;
        let of_velocities =
            [("the accelerations", self.q_ddot.len()), ("lambda", self.lambda.len())];
        FieldError::check_lengths(n * batch, of_velocities)?;
        let of_rates = [("eta", self.eta.len()), ("the rates' cotangents", bars.q_dot.len())];
        FieldError::check_lengths((dim - n) * batch, of_rates)?;
        Ok(n)
    }
}

/// How many of the `dim` coordinates of a state are velocities: those that have no rate.
fn velocities<T>(dim: usize, batch: usize, q_dot: &[T]) -> Result<usize, FieldError> {
    let coordinates = (q_dot.len() / batch.max(1)).min(dim);
    FieldError::check_lengths(coordinates * batch, [("the coordinates' rates", q_dot.len())])?;
    Ok(dim - coordinates)
}

/// The cotangents of a motion: of its state, and of the rate of its coordinates.
#[derive(Debug)]
pub struct MotionBars<'a, T> {
    /// The cotangent of the state, D * B.
    pub x: &'a mut [T],
    /// The cotangent of the coordinates' rate, m * B.
    pub q_dot: &'a mut [T],
}

impl<T> MotionBars<'_, T> {
    /// The same places, lent for a shorter time.
    pub fn reborrow(&mut self) -> MotionBars<'_, T> {
        MotionBars { x: self.x, q_dot: self.q_dot }
    }
}
