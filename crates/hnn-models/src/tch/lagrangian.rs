//! A Lagrangian neural network computed by libtorch.

use hnn_integrators::{At, DifferentiableField, FieldError, VectorField, Workspace};
use hnn_systems::Hamiltonian;
use tch::nn::{ModuleT, VarStore};
use tch::{Device, Tensor};

use super::energy::{gradient, tracked};
use super::network::{Graph, Inner, engine, gradients};
use super::{TchMlp, TchNetwork, TchResiduals, TchScalar};
use crate::ModelError;
use crate::parameters::parameters;

/// How `A q'' = b` is solved for the acceleration, `A = d2L/dv2` the mass matrix.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum MassMatrix {
    /// LU; an exactly singular matrix is an error.
    #[default]
    Lu,
    /// The pseudo-inverse, as the published LNN: singular values below `cutoff` times the largest
    /// count as 0.
    PseudoInverse {
        /// Relative cutoff, 1e-15 say.
        cutoff: f64,
    },
}

/// The field `(dq/dt, dv/dt) = (v, q'')` of a Lagrangian `L(q, v)`, any libtorch module
/// `(B, 2n) -> (B)` or `(B, 1)` of states `x = [q_1..q_n, v_1..v_n]` (Cranmer et al. 2020,
/// "Lagrangian Neural Networks", equation 6):
///
/// `q'' = (d2L/dv2)^-1 (dL/dq - (d2L/dv dq) v)`,
///
/// all derivatives by automatic differentiation, a batch at a time: one backward pass for the
/// gradient of `L`, and `n` more for the rows of its Hessian.
///
/// ```
/// use hnn_integrators::VectorField;
/// use hnn_models::tch::TchLagrangian;
/// use tch::{Device, nn::VarStore};
///
/// // A pendulum: L = v^2 / 2 + cos q.
/// let store = VarStore::new(Device::Cpu);
/// let lagrangian = TchLagrangian::<f64>::from_fn(store, 2, |x, _train| {
///     x.select(1, 1).square() * 0.5 + x.select(1, 0).cos()
/// })?;
/// let f = lagrangian.eval_state(0.0, &[0.3, 0.7])?;
/// assert!((f[0] - 0.7).abs() + (f[1] + 0.3_f64.sin()).abs() < 1e-15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TchLagrangian<T> {
    network: TchNetwork<T>,
    mass_matrix: MassMatrix,
}

impl<T: TchScalar> TchLagrangian<T> {
    /// The Lagrangian of a module of states of dimension `dim = 2n`, whose parameters are those of
    /// `store` (converted to `T`; the device is the store's).
    ///
    /// # Errors
    /// If the dimension is odd, the device is not there, or the module fails or gives another
    /// shape for a batch of two states.
    pub fn new(
        store: VarStore,
        dim: usize,
        module: impl ModuleT + 'static,
    ) -> Result<Self, ModelError> {
        Self::wrap(TchNetwork::new(store, dim, module)?)
    }

    /// The Lagrangian of a closure `L(x, train)`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_fn(
        store: VarStore,
        dim: usize,
        lagrangian: impl Fn(&Tensor, bool) -> Tensor + Send + 'static,
    ) -> Result<Self, ModelError> {
        Self::new(store, dim, tch::nn::func_t(lagrangian))
    }

    /// A perceptron with one output.
    ///
    /// # Errors
    /// As [`new`](Self::new), also if it has another number of outputs.
    pub fn mlp(mlp: impl Into<TchMlp<T>>, device: Device) -> Result<Self, ModelError> {
        Self::wrap(TchNetwork::mlp(&mlp.into(), device)?)
    }

    /// The same with another way to solve for the acceleration.
    #[must_use]
    pub fn with_mass_matrix(mut self, mass_matrix: MassMatrix) -> Self {
        self.mass_matrix = mass_matrix;
        self
    }

    /// Tries the network on two states.
    fn wrap(network: TchNetwork<T>) -> Result<Self, ModelError> {
        let dim = network.dim();
        if dim == 0 || !dim.is_multiple_of(2) {
            return Err(ModelError::OddDimension { dim });
        }
        network.eval(&vec![T::default(); 2 * dim], &mut [T::default(); 2], |network, x| {
            tch::no_grad(|| network.forward_scalar(x))
        })?;
        Ok(Self { network, mass_matrix: MassMatrix::default() })
    }

    /// The module and its parameters.
    pub fn network(&self) -> &TchNetwork<T> {
        &self.network
    }

    /// As [`network`](Self::network), to load variables.
    pub fn network_mut(&mut self) -> &mut TchNetwork<T> {
        &mut self.network
    }

    /// `(v, q'')` of shape (B, 2n).
    pub(super) fn field(
        &self,
        network: &Inner<T>,
        x: &Tensor,
        graph: Graph,
    ) -> Result<Tensor, FieldError> {
        let x = if x.requires_grad() { x.shallow_clone() } else { tracked(x)? };
        let n = x.size()[1] / 2;
        let g = gradient(network, &x, Graph::Differentiate)?;
        let mut rows = Vec::new();
        for i in n..2 * n {
            let last = i + 1 == 2 * n;
            let row_graph = if graph == Graph::Drop && !last { Graph::Keep } else { graph };
            rows.push(gradients(&g.select(1, i), &[&x], row_graph)?.swap_remove(0));
        }
        let solve = || {
            let hessian = Tensor::f_stack(&rows, 1)?;
            let v = x.f_narrow(1, n, n)?;
            let mixed =
                hessian.f_narrow(2, 0, n)?.f_matmul(&v.f_unsqueeze(-1)?)?.f_squeeze_dim(-1)?;
            let b = g.f_narrow(1, 0, n)?.f_sub(&mixed)?.f_unsqueeze(-1)?;
            let mass = hessian.f_narrow(2, n, n)?;
            let acceleration = match self.mass_matrix {
                MassMatrix::Lu => Tensor::f_linalg_solve(&mass, &b, true)?,
                MassMatrix::PseudoInverse { cutoff } => {
                    mass.f_linalg_pinv(cutoff, false)?.f_matmul(&b)?
                }
            };
            Tensor::f_cat(&[v, acceleration.f_squeeze_dim(-1)?], 1)
        };
        solve().map_err(engine)
    }
}

/// `E = v . dL/dv - L` of shape (B).
fn energy<T: TchScalar>(
    network: &Inner<T>,
    x: &Tensor,
    graph: Graph,
) -> Result<Tensor, FieldError> {
    let n = x.size()[1] / 2;
    let lagrangian = network.forward_scalar(x)?;
    let g = gradients(&lagrangian, &[x], graph)?.swap_remove(0);
    let product = x.narrow(1, n, n) * g.narrow(1, n, n);
    Ok(product.sum_dim_intlist(1, false, None::<tch::Kind>) - lagrangian)
}

parameters!(impl<T: TchScalar> for TchLagrangian<T>: network);

impl<T: TchScalar> VectorField<T> for TchLagrangian<T> {
    fn dim(&self) -> usize {
        self.network.dim()
    }

    fn eval(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        _: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.network
            .check_states(at.batch(), [("the states", x.len()), ("the slopes", dx.len())])?;
        self.network.eval(x, dx, |network, x| self.field(network, x, Graph::Drop))
    }

    fn block_len(&self) -> usize {
        usize::MAX
    }
}

impl<T: TchScalar> Hamiltonian<T> for TchLagrangian<T> {
    /// `E = v . dL/dv - L`, a function of `[q, v]`.
    fn energy(&self, x: &[T], out: &mut [T], _: &mut Workspace<T>) -> Result<(), FieldError> {
        self.network.check_states(out.len(), [("the states", x.len())])?;
        self.network.eval(x, out, |network, x| energy(network, &tracked(x)?, Graph::Drop))
    }

    fn energy_gradient(
        &self,
        batch: usize,
        x: &[T],
        out: &mut [T],
        _: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let slices = [("the states", x.len()), ("the gradients", out.len())];
        self.network.check_states(batch, slices)?;
        self.network.eval(x, out, |network, x| {
            let x = tracked(x)?;
            Ok(gradients(&energy(network, &x, Graph::Differentiate)?, &[&x], Graph::Drop)?
                .swap_remove(0))
        })
    }
}

impl<T: TchScalar> DifferentiableField<T> for TchLagrangian<T> {
    type Residuals = TchResiduals<T>;

    fn eval_recorded(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        residuals: &mut TchResiduals<T>,
    ) -> Result<(), FieldError> {
        self.network
            .check_states(at.batch(), [("the states", x.len()), ("the slopes", dx.len())])?;
        self.network.eval_recorded(x, dx, residuals, |network, x| {
            self.field(network, x, Graph::Differentiate)
        })
    }

    fn vjp(
        &self,
        x: &[T],
        residuals: &mut TchResiduals<T>,
        v: &[T],
        x_bar: &mut [T],
        theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError> {
        FieldError::check_lengths(x_bar.len(), [("the states", x.len())])?;
        self.network.vjp(residuals, v, x_bar, theta_bar)
    }
}
