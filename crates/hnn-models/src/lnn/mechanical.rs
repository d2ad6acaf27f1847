//! The Lagrangian of a mechanical system: kinetic minus potential energy.

use hnn_integrators::{FieldError, Parameters, Scalar, ThetaBar, Workspace};

use crate::force::{add, transposed_product, triangle};
use crate::parameters::parameters;
use crate::{
    Coordinate, DifferentiableEnergy, DifferentiableLagrangian, EulerLagrange, JacobianMap, Keep,
    LagrangianTerms, ModelError, MotionBars, Network, Record,
};

/// `L(q, v) = v^T M(q) v / 2 - V(q)`, with `M = C C^T + epsilon I` and a lower triangular
/// `C(q) = I + Y(q)`: positive definite by construction (Deep Lagrangian Networks, Lutter et al.
/// 2019).
///
/// One network gives the `n (n + 1) / 2` entries of `Y`, row by row, another the potential
/// energy. Both see the coordinates alone.
///
/// Parameters: those of `Y`, then those of `V`.
///
/// ```
/// use hnn_models::{Architecture, Initialisation, Lnn, MechanicalLagrangian, Mlp};
/// let network = |sizes: &[usize], seed| -> Result<_, hnn_models::ModelError> {
///     Ok(Mlp::<f64>::new(Architecture::new(sizes)?, Initialisation::Orthogonal, seed))
/// };
/// // Two degrees of freedom: 3 entries of a lower triangular 2 x 2 matrix.
/// let lagrangian = MechanicalLagrangian::new(network(&[2, 32, 3], 1)?, network(&[2, 32, 1], 2)?)?;
/// let model = Lnn::new(lagrangian)?;
/// let mass = model.mass_matrices(ndarray::array![[0.1, 0.2, 0.3, 0.4]].view())?;
/// assert!(mass[[0, 0, 0]] * mass[[0, 1, 1]] > mass[[0, 0, 1]] * mass[[0, 1, 0]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct MechanicalLagrangian<N, V> {
    factor: N,
    potential: V,
    velocities: usize,
    epsilon: f64,
}

/// The quantities of a batch, and those of one row.
struct Sections<'a, T> {
    /// `Y` and its derivatives by each coordinate, triangle * B each.
    y: &'a mut [T],
    jacobian: &'a mut [T],
    /// The potential's gradient; in the pull-back its direction. m * B.
    force: &'a mut [T],
    /// The potential's share of the coordinates' cotangent, m * B.
    q_bar: &'a mut [T],
    /// Cotangents of Y and of its derivatives along eta and q_dot, triangle * B each.
    y_bar: &'a mut [T],
    eta_bar: &'a mut [T],
    q_dot_bar: &'a mut [T],
    row: Row<'a, T>,
}

/// One row: triangular matrices, then vectors of n numbers.
struct Row<'a, T> {
    /// `C`, and derivatives of it along a coordinate, eta and q_dot.
    c: &'a mut [T],
    c_j: &'a mut [T],
    c_eta: &'a mut [T],
    c_dot: &'a mut [T],
    /// `C^T v`, `C^T lambda`, `C^T q_ddot`.
    u: &'a mut [T],
    w: &'a mut [T],
    g: &'a mut [T],
    /// Products of a derivative of `C^T` with v and lambda.
    along: &'a mut [T],
    across: &'a mut [T],
    u_bar: &'a mut [T],
    w_bar: &'a mut [T],
}

const fn buffer_len(m: usize, n: usize, batch: usize) -> usize {
    ((4 + m) * triangle(n) + 2 * m) * batch + 4 * triangle(n) + 7 * n
}

fn sections<T>(m: usize, n: usize, batch: usize, buffer: &mut [T]) -> Sections<'_, T> {
    let mut take = crate::sections::sections(buffer);
    let entries = triangle(n) * batch;
    Sections {
        y: take(entries),
        jacobian: take(m * entries),
        force: take(m * batch),
        q_bar: take(m * batch),
        y_bar: take(entries),
        eta_bar: take(entries),
        q_dot_bar: take(entries),
        row: Row {
            c: take(triangle(n)),
            c_j: take(triangle(n)),
            c_eta: take(triangle(n)),
            c_dot: take(triangle(n)),
            u: take(n),
            w: take(n),
            g: take(n),
            along: take(n),
            across: take(n),
            u_bar: take(n),
            w_bar: take(n),
        },
    }
}

/// `C = I + Y` of one row.
fn factor_of_row<T: Scalar>(n: usize, batch: usize, row: usize, y: &[T], c: &mut [T]) {
    c.iter_mut().enumerate().for_each(|(k, c)| *c = y[k * batch + row]);
    (0..n).for_each(|i| c[triangle(i) + i] += T::ONE);
}

/// `sum over j of rate_j dC/dq_j` of one row.
fn derivative_of_row<T: Scalar>(
    batch: usize,
    row: usize,
    jacobian: &[T],
    rate: &[T],
    c_dot: &mut [T],
) {
    let entries = c_dot.len();
    c_dot.fill(T::ZERO);
    for (j, rate) in rate.chunks_exact(batch.max(1)).enumerate() {
        for (k, c) in c_dot.iter_mut().enumerate() {
            *c += rate[row] * jacobian[(j * entries + k) * batch + row];
        }
    }
}

fn dot<T: Scalar>(a: &[T], b: &[T]) -> T {
    a.iter().zip(b).map(|(a, b)| *a * *b).sum()
}

/// Entry `i` of `C u`.
fn product<T: Scalar>(i: usize, c: &[T], u: &[T]) -> T {
    dot(&c[triangle(i)..=triangle(i) + i], u)
}

impl<N, V> MechanicalLagrangian<N, V> {
    /// From the network of `Y` and that of the potential energy; epsilon is 1e-6.
    ///
    /// # Errors
    /// If the number of `Y`'s outputs is no `n (n + 1) / 2`, or the potential has another input
    /// size than `Y`, or another number of outputs than one.
    pub fn new<T: Scalar>(factor: N, potential: V) -> Result<Self, ModelError>
    where
        N: JacobianMap<T>,
        V: DifferentiableEnergy<T>,
    {
        let (given, expected) = (potential.input_dim(), factor.input_dim());
        if given != expected {
            return Err(ModelError::InputSize { role: "potential energy", given, expected });
        }
        potential.check()?;
        let outputs = factor.output_dim();
        let velocities = (1..=outputs).find(|n| triangle(*n) >= outputs).unwrap_or(1);
        if triangle(velocities) != outputs {
            let (role, expected) = ("mass matrix", triangle(velocities));
            return Err(ModelError::OutputSize { role, given: outputs, expected });
        }
        Ok(Self { factor, potential, velocities, epsilon: 1e-6 })
    }

    /// The same with another epsilon, the least eigenvalue that the mass matrix can have: in the
    /// user's units, or relative to the data's masses behind [`Scales`](crate::Scales).
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn with_epsilon(self, epsilon: f64) -> Result<Self, ModelError> {
        if !(epsilon >= 0.0 && epsilon.is_finite()) {
            let (name, expected) = ("epsilon", "finite and not negative");
            return Err(ModelError::Setting { name, given: epsilon, expected });
        }
        Ok(Self { epsilon, ..self })
    }

    /// The least eigenvalue that the mass matrix can have.
    #[must_use]
    pub fn epsilon(&self) -> f64 {
        self.epsilon
    }

    /// The network of `Y`, the mass matrix's factor less the identity.
    pub fn factor(&self) -> &N {
        &self.factor
    }

    /// The network of the potential energy.
    pub fn potential(&self) -> &V {
        &self.potential
    }

    /// The coordinates that have rates are those that the networks see.
    fn check_rates<T: Scalar>(&self, batch: usize, q_dot: &[T]) -> Result<(), FieldError>
    where
        N: JacobianMap<T>,
    {
        let expected = self.factor.input_dim() * batch;
        FieldError::check_lengths(expected, [("the coordinates' rates", q_dot.len())])
    }

    /// The terms of each row from `Y`, its Jacobian and the potential's gradient.
    fn fill_terms<T: Scalar>(
        &self,
        batch: usize,
        x: &[T],
        q_dot: &[T],
        terms: LagrangianTerms<'_, T>,
        s: &mut Sections<'_, T>,
    ) {
        let (n, m) = (self.velocities, q_dot.len() / batch.max(1));
        let epsilon = T::from_f64(self.epsilon);
        let entries = triangle(n) * batch;
        let Row { c, c_j, c_dot, u, along, .. } = &mut s.row;
        for row in 0..batch {
            let v = |i: usize| x[(m + i) * batch + row];
            factor_of_row(n, batch, row, s.y, c);
            transposed_product(n, c, v, u);
            for j in 0..m {
                let jacobian = &s.jacobian[j * entries..(j + 1) * entries];
                c_j.iter_mut().enumerate().for_each(|(k, c)| *c = jacobian[k * batch + row]);
                transposed_product(n, c_j, v, along);
                terms.gradient[j * batch + row] = dot(u, along) - s.force[j * batch + row];
            }
            derivative_of_row(batch, row, s.jacobian, q_dot, c_dot);
            transposed_product(n, c_dot, v, along);
            for i in 0..n {
                terms.gradient[(m + i) * batch + row] = product(i, c, u) + epsilon * v(i);
                terms.mixed[i * batch + row] = product(i, c_dot, u) + product(i, c, along);
                for j in 0..=i {
                    let own = if i == j { epsilon } else { T::ZERO };
                    let entry = product(j, c, &c[triangle(i)..=triangle(i) + j]) + own;
                    terms.mass[(i * n + j) * batch + row] = entry;
                    terms.mass[(j * n + i) * batch + row] = entry;
                }
            }
        }
    }
}

parameters!(MechanicalLagrangian<N, V>: factor, potential);

impl<T: Scalar, N: JacobianMap<T>, V: DifferentiableEnergy<T>> Network<T>
    for MechanicalLagrangian<N, V>
{
    fn input_dim(&self) -> usize {
        self.factor.input_dim() + self.velocities
    }

    fn coordinate(&self, index: usize) -> Coordinate {
        if index >= self.factor.input_dim() {
            return Coordinate::Velocity;
        }
        match self.factor.coordinate(index) {
            Coordinate::Number => self.potential.coordinate(index),
            seen => seen,
        }
    }
}

impl<T: Scalar, N: JacobianMap<T>, V: DifferentiableEnergy<T>> DifferentiableLagrangian<T>
    for MechanicalLagrangian<N, V>
{
    type Residuals = Record<T, (N::JacobianResiduals, V::Residuals)>;

    fn check(&self, velocities: usize) -> Result<(), ModelError> {
        let (given, expected) = (triangle(self.velocities), triangle(velocities));
        if given == expected {
            return Ok(());
        }
        Err(ModelError::OutputSize { role: "mass matrix", given, expected })
    }

    fn lagrangian(
        &self,
        x: &[T],
        value: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let (batch, n, m) = (value.len(), self.velocities, self.factor.input_dim());
        FieldError::check_lengths((m + n) * batch, [("the states", x.len())])?;
        let q = &x[..m * batch];
        let (buffer, inner) = workspace.split(buffer_len(m, n, batch));
        let Sections { y, row: Row { c, u, .. }, .. } = sections(m, n, batch, buffer);
        self.factor.eval(batch, q, y, Keep::Nothing(inner))?;
        self.potential.energy(q, value, inner)?;
        let (half, epsilon) = (T::from_f64(0.5), T::from_f64(self.epsilon));
        for (row, value) in value.iter_mut().enumerate() {
            let v = |i: usize| x[(m + i) * batch + row];
            factor_of_row(n, batch, row, y, c);
            transposed_product(n, c, v, u);
            let own: T = (0..n).map(|i| v(i) * v(i)).sum();
            *value = half * (dot(u, u) + epsilon * own) - *value;
        }
        Ok(())
    }

    fn terms(
        &self,
        batch: usize,
        x: &[T],
        q_dot: &[T],
        terms: LagrangianTerms<'_, T>,
        keep: Keep<'_, T, Self::Residuals>,
    ) -> Result<(), FieldError> {
        self.check_rates(batch, q_dot)?;
        terms.check(self.input_dim(), batch, x, q_dot)?;
        let (m, q) = (self.factor.input_dim(), &x[..q_dot.len()]);
        let (buffer, mut parts) = keep.split(batch, buffer_len(m, self.velocities, batch));
        let mut s = sections(m, self.velocities, batch, buffer);
        self.factor.jacobian(batch, q, s.y, s.jacobian, parts.part(|parts| &mut parts.0))?;
        self.potential.gradient(batch, q, s.force, parts.part(|parts| &mut parts.1))?;
        self.fill_terms(batch, x, q_dot, terms, &mut s);
        Ok(())
    }

    /// `phi = u . a - b . u - w . (d + g) - epsilon lambda . q_ddot - D_eta V` with
    /// `u = C^T v`, `w = C^T lambda`, `g = C^T q_ddot`, `a = (D_eta C)^T v`,
    /// `b = (D_q_dot C)^T lambda`, `d = (D_q_dot C)^T v`.
    fn terms_vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        directions: &EulerLagrange<'_, T>,
        bars: MotionBars<'_, T>,
        mut theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        let EulerLagrange { q_dot, q_ddot, eta, lambda } = *directions;
        let n = self.velocities;
        let (batch, m) = (lambda.len() / n, self.factor.input_dim());
        self.check_rates(batch, q_dot)?;
        directions.check(self.input_dim(), batch, x, &bars)?;
        theta_bar.check(self.num_params(), batch)?;
        let (buffer, (factor, potential)) = residuals.recorded(buffer_len(m, n, batch))?;
        let s = sections(m, n, batch, buffer);
        let Row { c, c_j, c_eta, c_dot, u, w, g, along, across, u_bar, w_bar } = s.row;
        let (x_bar_q, x_bar_v) = bars.x.split_at_mut(m * batch);
        for row in 0..batch {
            let at = |a: &[T], i: usize| a[i * batch + row];
            let v = |i: usize| at(x, m + i);
            factor_of_row(n, batch, row, s.y, c);
            derivative_of_row(batch, row, s.jacobian, eta, c_eta);
            derivative_of_row(batch, row, s.jacobian, q_dot, c_dot);
            transposed_product(n, c, v, u);
            transposed_product(n, c, |i| at(lambda, i), w);
            transposed_product(n, c, |i| at(q_ddot, i), g);
            transposed_product(n, c_eta, v, u_bar);
            transposed_product(n, c_dot, |i| at(lambda, i), across);
            transposed_product(n, c_dot, v, along);
            for k in 0..n {
                u_bar[k] -= across[k];
                w_bar[k] = -(along[k] + g[k]);
            }
            for i in 0..n {
                for k in 0..=i {
                    let entry = (triangle(i) + k) * batch + row;
                    let (v, lambda) = (v(i), at(lambda, i));
                    s.y_bar[entry] = v * u_bar[k] + lambda * w_bar[k] - at(q_ddot, i) * w[k];
                    s.eta_bar[entry] = v * u[k];
                    s.q_dot_bar[entry] = -lambda * u[k] - v * w[k];
                }
                x_bar_v[i * batch + row] =
                    product(i, c, u_bar) + product(i, c_eta, u) - product(i, c_dot, w);
            }
            for j in 0..m {
                let jacobian = &s.jacobian[j * triangle(n) * batch..];
                c_j.iter_mut().enumerate().for_each(|(k, c)| *c = jacobian[k * batch + row]);
                transposed_product(n, c_j, |i| at(lambda, i), across);
                transposed_product(n, c_j, v, along);
                bars.q_dot[j * batch + row] = -dot(across, u) - dot(w, along);
            }
        }
        let own = self.factor.num_params();
        let q = &x[..m * batch];
        let tangents = [(eta, &*s.eta_bar), (q_dot, &*s.q_dot_bar)];
        let y_theta = theta_bar.reborrow().part(..own);
        self.factor.jacobian_vjp(q, factor, s.y_bar, &tangents, x_bar_q, y_theta)?;
        s.force.iter_mut().zip(eta).for_each(|(f, eta)| *f = -*eta);
        self.potential.gradient_vjp(q, potential, s.force, s.q_bar, theta_bar.part(own..))?;
        add(x_bar_q, s.q_bar);
        Ok(())
    }

    fn block_len(&self) -> usize {
        self.potential.block_len()
    }
}
