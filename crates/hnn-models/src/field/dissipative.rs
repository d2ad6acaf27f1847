//! Friction that cannot feed energy into the system.

use hnn_integrators::{FieldError, Lane, Mode, Parameters, Scalar, Workspace};

use crate::{DifferentiableMap, ModelError};

/// `F(q, p) = R(q, p) p` with `R = L L^T >= 0`, `L` lower triangular of size n: the power
/// `p . F = |L^T p|^2` is never negative, and `F` vanishes at rest.
///
/// The network gives the `n (n + 1) / 2` entries of `L`, row by row; those on the diagonal are
/// `L_ii = sqrt(softplus(y))`. So for one degree of freedom `F = softplus(N(q, p)) p`.
///
/// Power is measured with `p` as the velocity's stand-in, which is exact when the kinetic energy
/// is isotropic in `p`.
#[derive(Debug, Clone, PartialEq)]
pub struct Dissipative<N> {
    network: N,
}

/// What [`Dissipative`] friction keeps for its pull-back.
#[derive(Debug, Default)]
pub struct DissipativeResiduals<T, R> {
    batch: usize,
    network: R,
    /// The network's output, of shape (n (n + 1) / 2, B); in the pull-back, its cotangent.
    y: Vec<T>,
    x_bar: Vec<T>,
    /// `L`, `L_bar` (n (n + 1) / 2 each), `u = L^T p`, `u_bar` and one more of n numbers.
    row: Vec<T>,
}

impl<N> Dissipative<N> {
    /// Dissipative friction of a network.
    ///
    /// # Errors
    /// If the network's input has an odd dimension 2n, or its output has not `n (n + 1) / 2`
    /// numbers.
    pub fn new<T: Scalar>(network: N) -> Result<Self, ModelError>
    where
        N: DifferentiableMap<T>,
    {
        let dim = network.input_dim();
        if dim == 0 || dim % 2 != 0 {
            return Err(ModelError::OddDimension { dim });
        }
        let (given, expected) = (network.output_dim(), triangle(dim / 2));
        if given != expected {
            return Err(ModelError::OutputSize { role: "dissipative friction", given, expected });
        }
        Ok(Self { network })
    }

    /// The network that gives `L`.
    pub fn network(&self) -> &N {
        &self.network
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

/// `L` of one row from the network's output, and the derivative of its diagonal in `slope`.
fn lower<T: Scalar>(n: usize, y: impl Fn(usize) -> T, l: &mut [T], slope: &mut [T]) {
    for i in 0..n {
        for k in 0..=i {
            let index = triangle(i) + k;
            if k == i {
                (l[index], slope[i]) = diagonal(y(index));
            } else {
                l[index] = y(index);
            }
        }
    }
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

const fn row_len(n: usize) -> usize {
    2 * triangle(n) + 3 * n
}

/// `F = L (L^T p)` of every row.
fn forces<T: Scalar>(n: usize, x: &[T], y: &[T], force: &mut [T], scratch: &mut [T]) {
    let batch = force.len() / n;
    let p = &x[n * batch..];
    let [l, _, u, _, slope] = split_row(n, scratch);
    for row in 0..batch {
        lower(n, |index| y[index * batch + row], l, slope);
        transposed_product(n, l, |i| p[i * batch + row], u);
        for i in 0..n {
            let sum = (0..=i).map(|k| l[triangle(i) + k] * u[k]).sum();
            force[i * batch + row] = sum;
        }
    }
}

impl<T: Scalar, N: Parameters<T>> Parameters<T> for Dissipative<N> {
    fn num_params(&self) -> usize {
        self.network.num_params()
    }
    fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
        self.network.copy_params(out)
    }
    fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
        self.network.set_params(theta)
    }

    fn set_mode(&mut self, mode: Mode) {
        self.network.set_mode(mode);
    }
}

impl<T: Scalar, N: DifferentiableMap<T>> DifferentiableMap<T> for Dissipative<N> {
    type Residuals = DissipativeResiduals<T, N::Residuals>;

    fn input_dim(&self) -> usize {
        self.network.input_dim()
    }

    fn output_dim(&self) -> usize {
        self.network.input_dim() / 2
    }

    fn eval(
        &self,
        batch: usize,
        x: &[T],
        force: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        FieldError::check_lengths(self.output_dim() * batch, [("the forces", force.len())])?;
        let outputs = self.network.output_dim() * batch;
        let (buffer, inner) = workspace.split(outputs + row_len(self.output_dim()));
        let (y, scratch) = buffer.split_at_mut(outputs);
        self.network.eval(batch, x, y, inner)?;
        forces(self.output_dim(), x, y, force, scratch);
        Ok(())
    }

    fn eval_recorded(
        &self,
        batch: usize,
        x: &[T],
        force: &mut [T],
        residuals: &mut Self::Residuals,
    ) -> Result<(), FieldError> {
        FieldError::check_lengths(self.output_dim() * batch, [("the forces", force.len())])?;
        let DissipativeResiduals { network, y, row, .. } = residuals;
        y.resize(self.network.output_dim() * batch, T::ZERO);
        row.resize(row_len(self.output_dim()), T::ZERO);
        self.network.eval_recorded(batch, x, y, network)?;
        forces(self.output_dim(), x, y, force, row);
        residuals.batch = batch;
        Ok(())
    }

    fn vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        force_bar: &[T],
        x_bar: &mut [T],
        theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError> {
        let DissipativeResiduals { batch, network, y, x_bar: p_bar, row: scratch } = residuals;
        let (batch, n) = (*batch, self.output_dim());
        let slices = [("the states", x.len()), ("the states' cotangents", x_bar.len())];
        FieldError::check_lengths(2 * n * batch, slices)?;
        FieldError::check_lengths(n * batch, [("the cotangents", force_bar.len())])?;
        let p = &x[n * batch..];
        p_bar.resize(n * batch, T::ZERO);
        let [l, l_bar, u, u_bar, slope] = split_row(n, scratch);
        for row in 0..batch {
            let (c, p) = (|i: usize| force_bar[i * batch + row], |i: usize| p[i * batch + row]);
            lower(n, |index| y[index * batch + row], l, slope);
            transposed_product(n, l, p, u);
            transposed_product(n, l, c, u_bar);
            for i in 0..n {
                let mut sum = T::ZERO;
                for k in 0..=i {
                    // dF = dL u + L dL^T p, and F is linear in p through L^T.
                    l_bar[triangle(i) + k] = c(i) * u[k] + p(i) * u_bar[k];
                    sum += l[triangle(i) + k] * u_bar[k];
                }
                p_bar[i * batch + row] = sum;
            }
            for i in 0..n {
                l_bar[triangle(i) + i] *= slope[i];
            }
            for (index, l_bar) in l_bar.iter().enumerate() {
                y[index * batch + row] = *l_bar;
            }
        }
        self.network.vjp(x, network, y, x_bar, theta_bar)?;
        let p_part = &mut x_bar[n * batch..];
        p_part.iter_mut().zip(p_bar).for_each(|(sum, p)| *sum += *p);
        Ok(())
    }
}
