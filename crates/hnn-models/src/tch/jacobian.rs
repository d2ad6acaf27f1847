//! A map computed by libtorch, with its Jacobian.

use hnn_integrators::{FieldError, Scalar, ThetaBar};
use tch::Tensor;
use tch::kind::Element;

use super::network::{Graph, engine, gradients};
use super::{TchMap, TchResiduals};
use crate::{DifferentiableMap, JacobianMap, Keep, Network};

/// The Jacobian takes a backward pass an output; its pull-back one with `create_graph` for each
/// direction, and one through them all.
impl<T: Scalar + Element> JacobianMap<T> for TchMap<T> {
    type JacobianResiduals = TchResiduals<T>;

    fn jacobian(
        &self,
        batch: usize,
        x: &[T],
        y: &mut [T],
        jacobian: &mut [T],
        keep: Keep<'_, T, TchResiduals<T>>,
    ) -> Result<(), FieldError> {
        self.check_jacobian(batch, x, y, jacobian)?;
        self.network().columns(x, [y, jacobian], keep, |network, x, graph| {
            let value = self.forward(network, x)?;
            let both = with_jacobian(x, &value, graph)?;
            Ok((value, both))
        })
    }

    fn jacobian_vjp(
        &self,
        x: &[T],
        residuals: &mut TchResiduals<T>,
        y_bar: &[T],
        tangents: &[(&[T], &[T])],
        x_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        let network = self.network();
        let (inputs, outputs) = (self.input_dim(), self.output_dim());
        self.check_jacobian_vjp(x.len() / inputs, x, y_bar, tangents, x_bar)?;
        network.pull_back(residuals, x_bar, theta_bar, |x, y| {
            let against = |y_bar| y.f_mul(&network.upload(y_bar, outputs)?);
            let mut phi = against(y_bar).and_then(|y| y.f_sum(None)).map_err(engine)?;
            for (direction, y_dot_bar) in tangents {
                let tested = against(y_dot_bar).map_err(engine)?;
                let pulled = gradients(&tested, &[x], Graph::Differentiate)?.swap_remove(0);
                let along =
                    || phi.f_add(&pulled.f_mul(&network.upload(direction, inputs)?)?.f_sum(None)?);
                phi = along().map_err(engine)?;
            }
            Ok(phi)
        })
    }
}

/// `y` and `dy_k/dx_j` at column `j K + k`: shape (B, K + D K).
fn with_jacobian(x: &Tensor, y: &Tensor, graph: Graph) -> Result<Tensor, FieldError> {
    let outputs = y.size()[1];
    let mut rows = Vec::new();
    for k in 0..outputs {
        let last = if k + 1 == outputs { graph } else { Graph::Keep };
        rows.push(gradients(&y.select(1, k), &[x], last)?.swap_remove(0));
    }
    let together = || {
        let jacobian =
            Tensor::f_stack(&rows, 2)?.f_reshape([x.size()[0], x.size()[1] * outputs])?;
        Tensor::f_cat(&[y.f_detach()?, jacobian], 1)
    };
    together().map_err(engine)
}
