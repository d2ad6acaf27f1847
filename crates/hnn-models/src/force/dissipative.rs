//! Friction that cannot feed energy into the system.

use hnn_integrators::{At, FieldError, Lane, Scalar, ThetaBar};

use super::{GeneralisedForce, add, check_network, check_no_friction, negated, subtract};
use crate::parameters::parameters;
use crate::sections::sections;
use crate::{Coordinate, DifferentiableMap, ForceBars, Keep, ModelError, Network, Record};

/// Friction `R(x) v` with `R = L L^T >= 0`, `L(x)` lower triangular of size m: the power
/// `v . R v = |L^T v|^2` that it takes is never negative, and it vanishes at rest.
///
/// The network gives the `m (m + 1) / 2` entries of `L`, row by row; those on the diagonal are
/// `L_ii = sqrt(softplus(y))`. So for one degree of freedom the friction is `softplus(N(x)) v`.
/// Of a state of dimension D = 2n, m is n, friction on velocities or momenta, or D, dissipation on
/// all of the state for [`Hnn::port_hamiltonian`](crate::Hnn::port_hamiltonian); the number of the
/// network's outputs says which.
///
/// What `v` is depends on where it stands:
///
/// - As a [`GeneralisedForce`], `Q = -R(x) dq/dt`: the velocity itself. With an
///   [`Hnn`](crate::Hnn) this is `dx/dt = (J - R) dH/dx`, and the energy never grows. With m = D
///   the gradient `dH/dx` stands for the velocity.
/// - As a [`DifferentiableMap`], behind a [`FrictionForce`](super::FrictionForce), `F(q, p) =
///   R(q, p) p` of the second half of the state. With an [`Lnn`](crate::Lnn) that is the velocity
///   too; with an HNN the momentum stands in for it, which is exact when the kinetic energy is
///   isotropic in `p`.
///
/// ```
/// use hnn_integrators::VectorField;
/// use hnn_models::{Architecture, Dissipative, Hnn, Initialisation, Mlp};
/// use hnn_systems::Hamiltonian;
/// let network = |seed| -> Result<_, hnn_models::ModelError> {
///     Ok(Mlp::<f64>::new(Architecture::new(&[2, 16, 1])?, Initialisation::Orthogonal, seed))
/// };
/// let model = Hnn::forced(network(1)?, Dissipative::new(network(2)?)?)?;
/// let x = [0.5, 1.0];
/// let (dx, slope) = (model.eval_state(0.0, &x)?, model.energy_gradient_state(&x)?);
/// assert!(slope[0] * dx[0] + slope[1] * dx[1] < 0.0); // whatever the weights, energy is lost
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Dissipative<N> {
    network: N,
    /// What each row of `L` is multiplied by.
    factors: Vec<f64>,
}

impl<N> Dissipative<N> {
    /// Dissipative friction of a network.
    ///
    /// # Errors
    /// If the network's input has an odd dimension D = 2n, or its output has neither
    /// `n (n + 1) / 2` nor `D (D + 1) / 2` numbers, or it is a friction itself.
    pub fn new<T: Scalar>(network: N) -> Result<Self, ModelError>
    where
        N: DifferentiableMap<T>,
    {
        let dim = network.input_dim();
        if dim == 0 || dim % 2 != 0 {
            return Err(ModelError::OddDimension { dim });
        }
        check_no_friction(&network)?;
        let given = network.output_dim();
        match [dim / 2, dim].into_iter().find(|m| triangle(*m) == given) {
            Some(m) => Ok(Self { network, factors: vec![1.0; m] }),
            None => {
                let (role, expected) = ("dissipative friction", triangle(dim / 2));
                Err(ModelError::OutputSize { role, given, expected })
            }
        }
    }

    /// The same with row `i` of `L` multiplied by a factor of its own, for frictions of another size
    /// than 1: with `f_i`, `R_ij` is multiplied by `f_i f_j`.
    ///
    /// # Errors
    /// If there are not m factors, or one is not a positive number.
    pub fn with_factors(self, factors: &[f64]) -> Result<Self, ModelError> {
        let (given, expected) = (factors.len(), self.factors.len());
        if given != expected {
            return Err(ModelError::OutputSize {
                role: "dissipative friction's scale",
                given,
                expected,
            });
        }
        match factors.iter().find(|factor| !(**factor > 0.0 && factor.is_finite())) {
            None => Ok(Self { factors: factors.to_vec(), ..self }),
            Some(given) => {
                let (name, expected) = ("a factor of a dissipative friction", "a positive number");
                Err(ModelError::Setting { name, given: *given, expected })
            }
        }
    }

    /// What each row of `L` is multiplied by.
    #[must_use]
    pub fn factors(&self) -> &[f64] {
        &self.factors
    }

    /// The network that gives `L`.
    pub fn network(&self) -> &N {
        &self.network
    }

    /// `L` of one row from the network's output, and the derivative of its diagonal in `slope`.
    fn lower<T: Scalar>(&self, y: impl Fn(usize) -> T, l: &mut [T], slope: &mut [T]) {
        for (i, factor) in self.factors.iter().enumerate() {
            let (factor, first) = (T::from_f64(*factor), triangle(i));
            (0..i).for_each(|k| l[first + k] = factor * y(first + k));
            let (root, derivative) = diagonal(y(first + i));
            (l[first + i], slope[i]) = (factor * root, factor * derivative);
        }
    }

    /// `force = R(x) v`, with the network's output left in `y`.
    fn apply<T: Scalar>(
        &self,
        (x, v): (&[T], &[T]),
        force: &mut [T],
        (y, row): (&mut [T], &mut [T]),
        keep: Keep<'_, T, N::Residuals>,
    ) -> Result<(), FieldError>
    where
        N: DifferentiableMap<T>,
    {
        let n = self.factors.len();
        let batch = force.len() / n;
        self.network.eval(batch, x, y, keep)?;
        let [l, _, u, _, slope] = split_row(n, row);
        for row in 0..batch {
            self.lower(|index| y[index * batch + row], l, slope);
            transposed_product(n, l, |i| v[i * batch + row], u);
            for i in 0..n {
                let sum = (0..=i).map(|k| l[triangle(i) + k] * u[k]).sum();
                force[i * batch + row] = sum;
            }
        }
        Ok(())
    }

    /// For the cotangent `c` of `R(x) v`: overwrites the network's cotangent in `y`, and `v_bar`.
    fn pull<T: Scalar>(&self, v: &[T], c: &[T], y: &mut [T], v_bar: &mut [T], row: &mut [T]) {
        let n = self.factors.len();
        let batch = v.len() / n;
        let [l, l_bar, u, u_bar, slope] = split_row(n, row);
        for row in 0..batch {
            let (c, v) = (|i: usize| c[i * batch + row], |i: usize| v[i * batch + row]);
            self.lower(|index| y[index * batch + row], l, slope);
            transposed_product(n, l, v, u);
            transposed_product(n, l, c, u_bar);
            for i in 0..n {
                let mut sum = T::ZERO;
                for k in 0..=i {
                    // dF = dL u + L dL^T v, and F is linear in v through L^T.
                    l_bar[triangle(i) + k] = c(i) * u[k] + v(i) * u_bar[k];
                    sum += l[triangle(i) + k] * u_bar[k];
                }
                v_bar[i * batch + row] = sum;
            }
            for (i, factor) in self.factors.iter().enumerate() {
                let (factor, first) = (T::from_f64(*factor), triangle(i));
                l_bar[first..first + i].iter_mut().for_each(|bar| *bar *= factor);
                l_bar[first + i] *= slope[i];
            }
            for (index, l_bar) in l_bar.iter().enumerate() {
                y[index * batch + row] = *l_bar;
            }
        }
    }
}

/// The quantities of a batch, and the scratch of a row.
struct Sections<'a, T> {
    /// The network's output, of shape (n (n + 1) / 2, B); in the pull-back, its cotangent.
    y: &'a mut [T],
    /// The force, or its cotangent, n * B.
    force: &'a mut [T],
    /// The cotangent of the velocities, n * B.
    v_bar: &'a mut [T],
    /// The cotangent of the states, D * B.
    x_bar: &'a mut [T],
    row: &'a mut [T],
}

const fn buffer_len((n, dim): (usize, usize), batch: usize) -> usize {
    (triangle(n) + 2 * n + dim) * batch + 2 * triangle(n) + 3 * n
}

fn split<T>((n, dim): (usize, usize), batch: usize, buffer: &mut [T]) -> Sections<'_, T> {
    let mut take = sections(buffer);
    Sections {
        y: take(triangle(n) * batch),
        force: take(n * batch),
        v_bar: take(n * batch),
        x_bar: take(dim * batch),
        row: take(2 * triangle(n) + 3 * n),
    }
}

/// Number of entries of a lower triangular matrix of size n.
pub(crate) const fn triangle(n: usize) -> usize {
    n * (n + 1) / 2
}

/// `(sqrt(softplus y), its derivative)`; the derivative is `sigmoid(y) / (2 sqrt(softplus y))`.
fn diagonal<T: Scalar>(y: T) -> (T, T) {
    let half = T::from_f64(0.5);
    let softplus = (y + Lane::abs(y)) * half + (-Lane::abs(y)).exp().ln_1p();
    let root = softplus.sqrt().max(T::EPSILON * T::EPSILON);
    let sigmoid = T::ONE / (T::ONE + (-y).exp());
    (root, sigmoid * half / root)
}

/// `u = L^T p`.
pub(crate) fn transposed_product<T: Scalar>(
    n: usize,
    l: &[T],
    p: impl Fn(usize) -> T,
    u: &mut [T],
) {
    u.fill(T::ZERO);
    for i in 0..n {
        for k in 0..=i {
            u[k] += l[triangle(i) + k] * p(i);
        }
    }
}

/// The scratch of one row: `L`, `L_bar`, `u`, `u_bar`, slopes.
fn split_row<T>(n: usize, row: &mut [T]) -> [&mut [T]; 5] {
    let (l, rest) = row.split_at_mut(triangle(n));
    let (l_bar, rest) = rest.split_at_mut(triangle(n));
    let (u, rest) = rest.split_at_mut(n);
    let (u_bar, slope) = rest.split_at_mut(n);
    [l, l_bar, u, u_bar, &mut slope[..n]]
}

parameters!(Dissipative<N>: network);

impl<T: Scalar, N: DifferentiableMap<T>> Network<T> for Dissipative<N> {
    fn input_dim(&self) -> usize {
        self.network.input_dim()
    }

    fn coordinate(&self, index: usize) -> Coordinate {
        if index + self.factors.len() >= self.network.input_dim() {
            Coordinate::Velocity
        } else {
            self.network.coordinate(index)
        }
    }
}

impl<N> Dissipative<N> {
    /// The size of `R`, and the dimension of the states.
    fn sizes<T: Scalar>(&self) -> (usize, usize)
    where
        N: DifferentiableMap<T>,
    {
        (self.factors.len(), self.network.input_dim())
    }
}

impl<T: Scalar, N: DifferentiableMap<T>> DifferentiableMap<T> for Dissipative<N> {
    type Residuals = Record<T, N::Residuals>;

    fn output_dim(&self) -> usize {
        self.factors.len()
    }

    fn eval(
        &self,
        batch: usize,
        x: &[T],
        force: &mut [T],
        keep: Keep<'_, T, Self::Residuals>,
    ) -> Result<(), FieldError> {
        self.check_eval(batch, x, force)?;
        let sizes @ (n, dim) = self.sizes::<T>();
        let (buffer, parts) = keep.split(batch, buffer_len(sizes, batch));
        let s = split(sizes, batch, buffer);
        self.apply((x, &x[(dim - n) * batch..]), force, (s.y, s.row), parts)
    }

    fn vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        force_bar: &[T],
        x_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        let (batch, sizes @ (n, dim)) = (residuals.batch, self.sizes::<T>());
        let slices = [("the states", x.len()), ("the states' cotangents", x_bar.len())];
        FieldError::check_lengths(dim * batch, slices)?;
        FieldError::check_lengths(n * batch, [("the cotangents", force_bar.len())])?;
        let (buffer, network) = residuals.recorded(buffer_len(sizes, batch))?;
        let s = split(sizes, batch, buffer);
        let first = (dim - n) * batch;
        self.pull(&x[first..], force_bar, s.y, s.v_bar, s.row);
        self.network.vjp(x, network, s.y, x_bar, theta_bar)?;
        add(&mut x_bar[first..], s.v_bar);
        Ok(())
    }
}

/// `Q = -R(x) dq/dt`.
impl<T: Scalar, N: DifferentiableMap<T>> GeneralisedForce<T> for Dissipative<N> {
    type Residuals = Record<T, N::Residuals>;

    fn check(&self, dim: usize, rows: usize) -> Result<(), ModelError> {
        check_network(self, "dissipative friction", dim, rows)
    }

    fn add(
        &self,
        at: At<'_, T>,
        x: &[T],
        q_dot: &[T],
        force: &mut [T],
        keep: Keep<'_, T, <Self as GeneralisedForce<T>>::Residuals>,
    ) -> Result<(), FieldError> {
        let (batch, sizes @ (n, _)) = (at.batch(), self.sizes::<T>());
        self.check_eval(batch, x, force)?;
        FieldError::check_lengths(n * batch, [("the velocities", q_dot.len())])?;
        let (buffer, parts) = keep.split(batch, buffer_len(sizes, batch));
        let s = split(sizes, batch, buffer);
        self.apply((x, q_dot), s.force, (s.y, s.row), parts)?;
        subtract(force, s.force);
        Ok(())
    }

    fn add_vjp(
        &self,
        x: &[T],
        q_dot: &[T],
        residuals: &mut <Self as GeneralisedForce<T>>::Residuals,
        force_bar: &[T],
        bars: ForceBars<'_, T>,
    ) -> Result<(), FieldError> {
        bars.check_inputs(0)?;
        let (batch, sizes @ (n, dim)) = (residuals.batch, self.sizes::<T>());
        let slices = [("the states", x.len()), ("the states' cotangents", bars.x.len())];
        FieldError::check_lengths(dim * batch, slices)?;
        let slices = [
            ("the velocities", q_dot.len()),
            ("the velocities' cotangents", bars.q_dot.len()),
            ("the cotangents", force_bar.len()),
        ];
        FieldError::check_lengths(n * batch, slices)?;
        let (buffer, network) = residuals.recorded(buffer_len(sizes, batch))?;
        let s = split(sizes, batch, buffer);
        negated(s.force, force_bar);
        self.pull(q_dot, s.force, s.y, s.v_bar, s.row);
        self.network.vjp(x, network, s.y, s.x_bar, bars.theta)?;
        add(bars.x, s.x_bar);
        add(bars.q_dot, s.v_bar);
        Ok(())
    }
}
