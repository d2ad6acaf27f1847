//! The Lagrangian neural network.

use hnn_integrators::{
    At, Bars, DifferentiableField, FieldError, Parameters, Scalar, ThetaBar, VectorField,
    Workspace, coordinate_major,
};
use hnn_systems::Hamiltonian;
use ndarray::{Array1, Array3, ArrayView1, ArrayView2};

use super::solve::{MassSolver, matrix_of_row, reciprocal_condition};
use crate::force::{add, power_balance};
use crate::parameters::parameters;
use crate::{
    DifferentiableLagrangian, EulerLagrange, ForceBars, GeneralisedForce, Keep, LagrangianTerms,
    ModelError, MotionBars, PowerBalance, Record, Unforced,
};

/// `dq/dt = v`, `dv/dt = A^-1 (dL/dq - (d2L/dv dq) v + Q)` with `A = d2L/dv2`: the Euler-Lagrange
/// equation of a learned Lagrangian `L(q, v)` (Cranmer et al. 2020, "Lagrangian Neural Networks",
/// equation 6) and a generalised force `Q` (none by default).
///
/// *The solve.* `A` is factorised by Gaussian elimination with partial pivoting. Where a pivot is
/// at most `rcond` times the largest one, the pseudo-inverse takes its place: eigenvalues of at
/// most `rcond` times the largest size are dropped. The default `rcond = 10 n eps` is that of JAX
/// and of the paper's code (2.4e-6 for n = 2 in `f32`, 4.4e-15 in `f64`);
/// [`with_rcond`](Self::with_rcond) sets another, and [`conditioning`](Self::conditioning) tells how
/// near to singular `A` is. Read it so: an acceleration loses about as many decimal digits as the
/// reciprocal condition number has zeros after the point, so below 1e-3 in `f32` (1e-9 in `f64`) the
/// model is not to be trusted there, and a [`KineticPrior`](crate::KineticPrior) or a
/// [`MechanicalLagrangian`](crate::MechanicalLagrangian) is the remedy. Behind
/// [`Scales`](crate::Scales) all this is in units of the velocities' sizes, so that the user's make no
/// difference; else masses in units far apart, metres beside radians, can look singular.
///
/// *Gradients.* With the cotangent `c` of dv/dt and `lambda = A^-1 c`, `c . d(dv/dt)` is the
/// derivative of the Euler-Lagrange residual tested against `lambda`
/// ([`DifferentiableLagrangian::terms_vjp`]): no inverse is differentiated. Where the pseudo-inverse
/// was taken, this is the derivative at fixed range of `A`.
///
/// *Energy.* As a [`Hamiltonian`] its energy is `v . dL/dv - L`, conserved when `Q = 0`
/// (`energy_state`, `energy_rows` of [`Hamiltonian`](hnn_systems::Hamiltonian); metrics and
/// plots take the model where they take a system). Mind that without a known force L, and so the
/// energy, is only known up to a factor and a total derivative.
///
/// Parameters: those of `L`, then those of `Q`.
///
/// ```
/// use hnn_models::{Activation, Architecture, Initialisation, Lnn, Mlp};
/// use hnn_integrators::VectorField;
/// let architecture = Architecture::new(&[4, 32, 32, 1])?.with_activation(Activation::Softplus);
/// let model = Lnn::new(Mlp::<f64>::new(architecture, Initialisation::Glorot, 1))?;
/// let x = [0.1, 0.2, -0.3, 0.4];
/// assert_eq!(model.eval_state(0.0, &x)?[..2], x[2..]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Lnn<L, Q = Unforced> {
    lagrangian: L,
    force: Q,
    solver: MassSolver,
}

/// The quantities of an evaluation, and the residuals of the Lagrangian and of the force.
type LnnRecord<T, L, Q> = Record<T, (L, Q)>;

/// The quantities of one evaluation.
struct Sections<'a, T> {
    /// `dL/dx`, D * B.
    gradient: &'a mut [T],
    /// `A`, n * n * B.
    mass: &'a mut [T],
    /// The right-hand side, n * B; first `(d2L/dv dq) v`.
    rhs: &'a mut [T],
    /// dv/dt, n * B.
    acceleration: &'a mut [T],
    /// n * B.
    lambda: &'a mut [T],
    /// n * B.
    q_dot_bar: &'a mut [T],
    scratch: &'a mut [T],
}

const fn buffer_len(n: usize, batch: usize) -> usize {
    (2 * n + n * n + 4 * n) * batch + MassSolver::scratch_len(n)
}

fn sections<T>(n: usize, batch: usize, buffer: &mut [T]) -> Sections<'_, T> {
    let mut take = crate::sections::sections(buffer);
    Sections {
        gradient: take(2 * n * batch),
        mass: take(n * n * batch),
        rhs: take(n * batch),
        acceleration: take(n * batch),
        lambda: take(n * batch),
        q_dot_bar: take(n * batch),
        scratch: take(MassSolver::scratch_len(n)),
    }
}

impl<T> Sections<'_, T> {
    fn terms(&mut self) -> LagrangianTerms<'_, T> {
        LagrangianTerms { gradient: self.gradient, mass: self.mass, mixed: self.rhs }
    }
}

impl<L> Lnn<L> {
    /// The field of a Lagrangian, no force.
    ///
    /// # Errors
    /// If the Lagrangian's state has an odd dimension.
    pub fn new<T: Scalar>(lagrangian: L) -> Result<Self, ModelError>
    where
        L: DifferentiableLagrangian<T>,
    {
        Self::forced::<T>(lagrangian, Unforced)
    }
}

impl<L, Q> Lnn<L, Q> {
    /// The field of a Lagrangian and a force.
    ///
    /// # Errors
    /// If the Lagrangian's state has an odd dimension 2n, or it or the force is not one of n
    /// velocities.
    pub fn forced<T: Scalar>(lagrangian: L, force: Q) -> Result<Self, ModelError>
    where
        L: DifferentiableLagrangian<T>,
        Q: GeneralisedForce<T>,
    {
        let dim = lagrangian.input_dim();
        if dim == 0 || dim % 2 != 0 {
            return Err(ModelError::OddDimension { dim });
        }
        lagrangian.check(dim / 2)?;
        force.check(dim, dim / 2)?;
        Ok(Self { lagrangian, force, solver: MassSolver::new(None) })
    }

    /// The same with another threshold below which singular values of the mass matrix, relative to
    /// the largest, count as 0.
    ///
    /// # Errors
    /// If it is not in [0, 1).
    pub fn with_rcond(mut self, rcond: f64) -> Result<Self, ModelError> {
        if !(0.0..1.0).contains(&rcond) {
            let (name, expected) =
                ("rcond", "in [0, 1): 1e-6 drops what is a million times smaller");
            return Err(ModelError::Setting { name, given: rcond, expected });
        }
        self.solver = MassSolver::new(Some(rcond));
        Ok(self)
    }

    /// The threshold given to [`with_rcond`](Self::with_rcond), if any.
    #[must_use]
    pub fn rcond(&self) -> Option<f64> {
        self.solver.given()
    }

    /// The Lagrangian.
    pub fn lagrangian(&self) -> &L {
        &self.lagrangian
    }

    /// The generalised force.
    pub fn force(&self) -> &Q {
        &self.force
    }

    /// What changes the energy of states of shape (B, 2n) at times (B) under inputs (B, K):
    /// `dE/dt = y . u - v . F` with `y = G^T v`.
    ///
    /// # Errors
    /// If an array has another shape, or the engine fails.
    pub fn power_balance<T: Scalar>(
        &self,
        times: ArrayView1<'_, T>,
        states: ArrayView2<'_, T>,
        inputs: ArrayView2<'_, T>,
    ) -> Result<PowerBalance<T>, FieldError>
    where
        L: DifferentiableLagrangian<T>,
        Q: GeneralisedForce<T>,
    {
        power_balance(self, &self.force, (times, states, inputs), |x, _| x[x.len() / 2..].to_vec())
    }

    /// The mass matrices `d2L/dv2` of states of shape (B, 2n): shape (B, n, n).
    ///
    /// # Errors
    /// If the rows have another dimension than the model, or the engine fails.
    pub fn mass_matrices<T: Scalar>(&self, x: ArrayView2<'_, T>) -> Result<Array3<T>, FieldError>
    where
        L: DifferentiableLagrangian<T>,
    {
        let (batch, n) = (x.nrows(), self.lagrangian.input_dim() / 2);
        if x.ncols() != 2 * n {
            return Err(FieldError::Dimension { given: x.ncols(), expected: 2 * n });
        }
        let x = coordinate_major(x);
        let mut buffer = vec![T::ZERO; buffer_len(n, batch)];
        let mut s = sections(n, batch, &mut buffer);
        if batch > 0 {
            let workspace = &mut Workspace::default();
            let keep = Keep::Nothing(workspace);
            self.lagrangian.terms(batch, &x, &x[n * batch..], s.terms(), keep)?;
        }
        Ok(Array3::from_shape_fn((batch, n, n), |(row, i, j)| s.mass[(i * n + j) * batch + row]))
    }

    /// The reciprocal condition number of the mass matrix of each state of shape (B, 2n): smallest
    /// over largest size of its eigenvalues. At most `rcond`, and the pseudo-inverse is taken.
    ///
    /// # Errors
    /// As [`mass_matrices`](Self::mass_matrices).
    pub fn conditioning<T: Scalar>(&self, x: ArrayView2<'_, T>) -> Result<Array1<f64>, FieldError>
    where
        L: DifferentiableLagrangian<T>,
    {
        let mass = self.mass_matrices(x)?;
        let n = mass.dim().1;
        let condition = |m: ndarray::ArrayView2<'_, T>| {
            let entries: Vec<T> = m.iter().copied().collect();
            reciprocal_condition(&matrix_of_row(self.lagrangian.sizes(), n, 1, 0, &entries))
        };
        Ok(mass.outer_iter().map(condition).collect())
    }

    /// The field, plain or recorded.
    fn slope<T: Scalar>(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        keep: Keep<'_, T, LnnRecord<T, L::Residuals, Q::Residuals>>,
    ) -> Result<(), FieldError>
    where
        L: DifferentiableLagrangian<T>,
        Q: GeneralisedForce<T>,
    {
        let (dim, batch) = (self.lagrangian.input_dim(), at.batch());
        let slices = [("the states", x.len()), ("the slopes", dx.len())];
        FieldError::check_lengths(dim * batch, slices)?;
        FieldError::check_lengths(self.force.inputs() * batch, [("the inputs", at.u.len())])?;
        let (buffer, mut parts) = keep.split(batch, buffer_len(dim / 2, batch));
        let mut s = sections(dim / 2, batch, buffer);
        let v = &x[x.len() / 2..];
        self.lagrangian.terms(batch, x, v, s.terms(), parts.part(|parts| &mut parts.0))?;
        s.rhs.iter_mut().zip(&*s.gradient).for_each(|(rhs, g)| *rhs = *g - *rhs);
        self.force.add(at, x, v, s.rhs, parts.part(|parts| &mut parts.1))?;
        let sizes = self.lagrangian.sizes();
        self.solver.solve(sizes, batch, s.mass, s.rhs, s.acceleration, s.scratch);
        let (dq, dv) = dx.split_at_mut(v.len());
        dq.copy_from_slice(v);
        dv.copy_from_slice(s.acceleration);
        Ok(())
    }
}

parameters!(Lnn<L, Q>: lagrangian, force);

impl<T: Scalar, L: DifferentiableLagrangian<T>, Q: GeneralisedForce<T>> VectorField<T>
    for Lnn<L, Q>
{
    fn dim(&self) -> usize {
        self.lagrangian.input_dim()
    }

    fn inputs(&self) -> usize {
        self.force.inputs()
    }

    fn eval(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.slope(at, x, dx, Keep::Nothing(workspace))
    }

    fn block_len(&self) -> usize {
        self.lagrangian.block_len()
    }
}

impl<T: Scalar, L: DifferentiableLagrangian<T>, Q: GeneralisedForce<T>> DifferentiableField<T>
    for Lnn<L, Q>
{
    type Residuals = LnnRecord<T, L::Residuals, Q::Residuals>;

    fn eval_recorded(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        residuals: &mut Self::Residuals,
    ) -> Result<(), FieldError> {
        self.slope(at, x, dx, Keep::Residuals(residuals))
    }

    fn vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        v: &[T],
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        let half = x.len() / 2;
        let n = self.dim() / 2;
        let batch = half / n;
        bars.check(batch, [2 * n, self.inputs(), self.num_params()], [x, v])?;
        let Bars { x: x_bar, u, mut theta } = bars;
        let (buffer, (lagrangian, force)) = residuals.recorded(buffer_len(n, batch))?;
        let s = sections(n, batch, buffer);
        let (q_bar, acceleration_bar) = v.split_at(half);
        let sizes = self.lagrangian.sizes();
        self.solver.solve(sizes, batch, s.mass, acceleration_bar, s.lambda, s.scratch);
        let own = self.lagrangian.num_params();
        let velocity = &x[half..];
        let directions = EulerLagrange {
            q_dot: velocity,
            q_ddot: s.acceleration,
            eta: s.lambda,
            lambda: s.lambda,
        };
        let mut bars = MotionBars { x: x_bar, q_dot: s.q_dot_bar };
        let l_theta = theta.reborrow().part(..own);
        self.lagrangian.terms_vjp(x, lagrangian, &directions, bars.reborrow(), l_theta)?;
        // The velocity is the coordinates' rate, in the residual, in dq/dt = v and in the force.
        let rates = bars.q_dot.iter_mut().zip(q_bar);
        bars.x[half..].iter_mut().zip(rates).for_each(|(x, (rate, q))| {
            *x += *rate + *q;
            *rate = T::ZERO;
        });
        let MotionBars { x: x_bar, q_dot } = bars.reborrow();
        let force_bars = ForceBars { x: x_bar, q_dot, u, theta: theta.part(own..) };
        self.force.add_vjp(x, velocity, force, s.lambda, force_bars)?;
        add(&mut bars.x[half..], bars.q_dot);
        Ok(())
    }
}

impl<T: Scalar, L: DifferentiableLagrangian<T>, Q: GeneralisedForce<T>> Hamiltonian<T>
    for Lnn<L, Q>
{
    fn energy(
        &self,
        x: &[T],
        energy: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let batch = energy.len();
        FieldError::check_lengths(self.dim() * batch, [("the states", x.len())])?;
        let half = x.len() / 2;
        let (buffer, inner) = workspace.split(buffer_len(self.dim() / 2, batch));
        let mut s = sections(self.dim() / 2, batch, buffer);
        self.lagrangian.terms(batch, x, &x[half..], s.terms(), Keep::Nothing(inner))?;
        self.lagrangian.lagrangian(x, energy, inner)?;
        energy.iter_mut().for_each(|e| *e = -*e);
        let momenta = s.gradient[half..].chunks_exact(batch.max(1));
        for (p, v) in momenta.zip(x[half..].chunks_exact(batch.max(1))) {
            energy.iter_mut().zip(p.iter().zip(v)).for_each(|(e, (p, v))| *e += *p * *v);
        }
        Ok(())
    }

    /// `dE/dq = (d2L/dq dv) v - dL/dq`, `dE/dv = A v`.
    fn energy_gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let slices = [("the states", x.len()), ("the gradients", gradient.len())];
        FieldError::check_lengths(self.dim() * batch, slices)?;
        let half = x.len() / 2;
        let n = self.dim() / 2;
        let (buffer, inner) = workspace.split(buffer_len(n, batch));
        let mut s = sections(n, batch, buffer);
        let (residuals, _) = inner.residuals::<L::Residuals>();
        let v = &x[half..];
        self.lagrangian.terms(batch, x, v, s.terms(), Keep::Residuals(&mut *residuals))?;
        s.acceleration.fill(T::ZERO);
        let still = &*s.acceleration;
        let directions = EulerLagrange { q_dot: v, q_ddot: still, eta: still, lambda: v };
        let bars = MotionBars { x: gradient, q_dot: s.q_dot_bar };
        self.lagrangian.terms_vjp(x, residuals, &directions, bars, ThetaBar::None)?;
        let (dq, dv) = gradient.split_at_mut(half);
        // phi = -v . (d2L/dv dq) q_dot here.
        let terms = s.q_dot_bar.iter().zip(&s.gradient[..half]);
        dq.iter_mut().zip(terms).for_each(|(dq, (mixed, g))| *dq = -*mixed - *g);
        dv.fill(T::ZERO);
        for i in 0..n {
            for j in 0..n {
                let mass = &s.mass[(i * n + j) * batch..][..batch];
                let v = &v[j * batch..(j + 1) * batch];
                let dv = &mut dv[i * batch..(i + 1) * batch];
                dv.iter_mut().zip(mass.iter().zip(v)).for_each(|(d, (m, v))| *d += *m * *v);
            }
        }
        Ok(())
    }
}
