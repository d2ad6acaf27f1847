//! A scalar function computed by libtorch as a Lagrangian.

use hnn_integrators::{FieldError, Scalar, ThetaBar, Workspace};
use tch::kind::Element;
use tch::{TchError, Tensor};

use super::energy::gradient;
use super::network::{Graph, engine, gradients};
use super::{TchEnergy, TchNetwork, TchResiduals};
use crate::{
    DifferentiableEnergy, DifferentiableLagrangian, EulerLagrange, Keep, LagrangianTerms,
    MotionBars,
};

/// A scalar function of `x = [q, v]` as a Lagrangian: what an [`Lnn`](crate::Lnn) of libtorch's is
/// made of, behind [`Angles`](crate::Angles), a [`KineticPrior`](crate::KineticPrior) and with
/// forces as any other. The second derivatives are n backward passes through the gradient's graph,
/// n the number of velocities; the pull-back takes one more with `create_graph` and one through it.
///
/// ```
/// use hnn_integrators::VectorField;
/// use hnn_models::{Angles, Architecture, Initialisation, KineticPrior, Lnn, Mlp};
/// use hnn_models::tch::TchEnergy;
/// // A pendulum's (q, v): the network sees (cos q, sin q, v).
/// let network = Mlp::<f64>::new(Architecture::new(&[3, 16, 1])?, Initialisation::Orthogonal, 1);
/// let energy = TchEnergy::mlp(network.clone(), tch::Device::Cpu)?;
/// let angles = [true, false];
/// let model = Lnn::new(KineticPrior::new(Angles::new(energy, &angles)?, 1.0)?)?;
/// let native = Lnn::new(KineticPrior::new(Angles::new(network, &angles)?, 1.0)?)?;
/// let (ours, theirs) = (model.eval_state(0.0, &[0.3, 0.5])?, native.eval_state(0.0, &[0.3, 0.5])?);
/// assert!((ours[1] - theirs[1]).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl<T: Scalar + Element> DifferentiableLagrangian<T> for TchEnergy<T> {
    type Residuals = TchResiduals<T>;

    fn lagrangian(
        &self,
        x: &[T],
        value: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.energy(x, value, workspace)
    }

    fn terms(
        &self,
        batch: usize,
        x: &[T],
        q_dot: &[T],
        terms: LagrangianTerms<'_, T>,
        keep: Keep<'_, T, TchResiduals<T>>,
    ) -> Result<(), FieldError> {
        let network = self.network();
        terms.check(network.dim(), batch, x, q_dot)?;
        let slices = [terms.gradient, terms.mass, terms.mixed];
        network.columns(x, slices, keep, |inner, x, graph| {
            let g = gradient(inner, x, Graph::Differentiate)?;
            let value = terms_of(network, x, &g, q_dot, graph)?;
            Ok((g, value))
        })
    }

    /// `phi = eta . g_q - h . (q_dot, q_ddot)`, with `g = dL/dx` and `h = d(lambda . g_v)/dx`.
    fn terms_vjp(
        &self,
        x: &[T],
        residuals: &mut TchResiduals<T>,
        directions: &EulerLagrange<'_, T>,
        bars: MotionBars<'_, T>,
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        let network = self.network();
        let n = directions.check(network.dim(), x.len() / network.dim(), x, &bars)?;
        let m = network.dim() - n;
        let EulerLagrange { q_dot, q_ddot, eta, lambda } = *directions;
        network.pull_back(residuals, bars.x, theta_bar, |x, g| {
            let (columns, velocities) = (m as i64, n as i64);
            let along_v = || g.f_narrow(1, columns, velocities)?.f_mul(&network.upload(lambda, n)?);
            let along_v = along_v().map_err(engine)?;
            let h = gradients(&along_v, &[x], Graph::Differentiate)?.swap_remove(0);
            let mut phi = || {
                let q_dot_bar = h.f_narrow(1, 0, columns)?.f_neg()?;
                TchNetwork::download(&q_dot_bar, bars.q_dot)?;
                let t = [network.upload(q_dot, m)?, network.upload(q_ddot, n)?];
                let along_q = g.f_narrow(1, 0, columns)?.f_mul(&network.upload(eta, m)?)?;
                along_q.f_sum(None)?.f_sub(&h.f_mul(&Tensor::f_cat(&t, 1)?)?.f_sum(None)?)
            };
            phi().map_err(engine)
        })
    }

    fn block_len(&self) -> usize {
        usize::MAX
    }
}

/// The gradient, the mass matrix row by row, and the mixed terms: shape (B, D + n n + n).
fn terms_of<T: Scalar + Element>(
    network: &TchNetwork<T>,
    x: &Tensor,
    g: &Tensor,
    q_dot: &[T],
    graph: Graph,
) -> Result<Tensor, FieldError> {
    let (batch, columns) = (x.size()[0], x.size()[1]);
    let m = q_dot.len() as i64 / batch.max(1);
    let n = columns - m;
    let mut rows = Vec::new();
    for i in m..columns {
        let last = if i + 1 == columns { graph } else { Graph::Keep };
        rows.push(gradients(&g.select(1, i), &[x], last)?.swap_remove(0));
    }
    let together = || -> Result<Tensor, TchError> {
        let hessian = Tensor::f_stack(&rows, 1)?;
        let q_dot = network.upload(q_dot, m as usize)?.f_unsqueeze(-1)?;
        let mass = hessian.f_narrow(2, m, n)?.f_reshape([batch, n * n])?;
        let mixed = hessian.f_narrow(2, 0, m)?.f_matmul(&q_dot)?.f_squeeze_dim(-1)?;
        Tensor::f_cat(&[g.f_detach()?, mass, mixed], 1)
    };
    together().map_err(engine)
}
