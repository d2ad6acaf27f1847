//! Models as functions of tensors: what is computed with them stays in libtorch from end to end,
//! and is differentiated by it alone.

use hnn_integrators::{
    At, Bars, DifferentiableField, FieldError, Parameters, VectorField, Workspace,
};
use hnn_models::tch::{TchEnergy, TchMap};
use hnn_models::{Baseline, FrictionForce, Hnn, Network};
use tch::{Kind, Tensor};

use crate::device;

/// A model whose field is a tensor with the graph of its derivatives.
pub(crate) trait TensorField {
    /// `dx/dt` for states of shape (B, D).
    fn tensor_field(&self, x: &Tensor) -> Result<Tensor, FieldError>;

    /// The trainable tensors, in the order of the flat parameter vector.
    fn tensor_params(&self) -> Vec<Tensor>;
}

/// `d(sum of y)/dinputs`, with a graph of its own; zeros where `y` does not depend on an input.
pub(crate) fn gradients(y: &Tensor, inputs: &[&Tensor]) -> Vec<Tensor> {
    if !y.requires_grad() {
        return inputs.iter().map(|x| x.zeros_like()).collect();
    }
    let found = Tensor::run_backward(&[y.sum(None::<Kind>)], inputs, true, true);
    let found = found.into_iter().zip(inputs);
    found.map(|(g, x)| if g.defined() { g } else { x.zeros_like() }).collect()
}

/// The tensors' numbers one after another.
pub(crate) fn numbers(tensors: &[Tensor]) -> Vec<f64> {
    let flat = |t: &Tensor| Vec::<f64>::try_from(t.detach().reshape([-1])).expect("numbers");
    tensors.iter().flat_map(flat).collect()
}

/// The same numbers, with gradients.
fn tracked(x: &Tensor) -> Tensor {
    if x.requires_grad() { x.shallow_clone() } else { x.detach().set_requires_grad(true) }
}

/// `J grad H`.
fn symplectic(energy: &TchEnergy<f64>, x: &Tensor) -> Result<Tensor, FieldError> {
    let x = tracked(x);
    let g = gradients(&energy.network().forward(&x)?, &[&x]).swap_remove(0);
    let n = g.size()[1] / 2;
    Ok(Tensor::cat(&[g.narrow(1, n, n), -g.narrow(1, 0, n)], 1))
}

impl TensorField for Hnn<TchEnergy<f64>> {
    fn tensor_field(&self, x: &Tensor) -> Result<Tensor, FieldError> {
        symplectic(self.energy_network(), x)
    }

    fn tensor_params(&self) -> Vec<Tensor> {
        self.energy_network().network().tensors()
    }
}

impl TensorField for Hnn<TchEnergy<f64>, FrictionForce<TchMap<f64>>> {
    fn tensor_field(&self, x: &Tensor) -> Result<Tensor, FieldError> {
        let f = symplectic(self.energy_network(), x)?;
        let force = self.force().friction().network().forward(x)?;
        Ok(f - Tensor::cat(&[force.zeros_like(), force], 1))
    }

    fn tensor_params(&self) -> Vec<Tensor> {
        let mut params = self.energy_network().network().tensors();
        params.extend(self.force().friction().network().tensors());
        params
    }
}

impl TensorField for Baseline<TchMap<f64>> {
    fn tensor_field(&self, x: &Tensor) -> Result<Tensor, FieldError> {
        self.network().network().forward(x)
    }

    fn tensor_params(&self) -> Vec<Tensor> {
        self.network().network().tensors()
    }
}

/// The Euler-Lagrange field `(v, q'')` of a Lagrangian, solved for in libtorch too: a judge of the
/// native engine's [`Lnn`](hnn_models::Lnn).
pub(crate) struct TensorLagrangian(pub(crate) TchEnergy<f64>);

impl TensorField for TensorLagrangian {
    fn tensor_field(&self, x: &Tensor) -> Result<Tensor, FieldError> {
        let x = tracked(x);
        let g = gradients(&self.0.network().forward(&x)?, &[&x]).swap_remove(0);
        let n = x.size()[1] / 2;
        let row = |i: i64| gradients(&g.select(1, i), &[&x]).swap_remove(0);
        let hessian = Tensor::stack(&(n..2 * n).map(row).collect::<Vec<_>>(), 1);
        let v = x.narrow(1, n, n);
        let mixed = hessian.narrow(2, 0, n).matmul(&v.unsqueeze(-1));
        let b = g.narrow(1, 0, n).unsqueeze(-1) - mixed;
        let acceleration = Tensor::linalg_solve(&hessian.narrow(2, n, n), &b, true);
        Ok(Tensor::cat(&[v, acceleration.squeeze_dim(-1)], 1))
    }

    fn tensor_params(&self) -> Vec<Tensor> {
        self.0.network().tensors()
    }
}

/// A coordinate-major batch as a tensor of shape (B, D), with gradients.
fn upload(x: &[f64], batch: usize) -> Tensor {
    let lanes = Tensor::from_slice(x).view([-1, batch as i64]);
    lanes.tr().contiguous().to_device(device()).set_requires_grad(true)
}

fn download(x: &Tensor, out: &mut [f64]) {
    out.copy_from_slice(&numbers(&[x.tr().contiguous()]));
}

impl Parameters<f64> for TensorLagrangian {
    fn num_params(&self) -> usize {
        self.0.num_params()
    }

    fn copy_params(&self, out: &mut [f64]) -> Result<(), FieldError> {
        self.0.copy_params(out)
    }

    fn set_params(&mut self, theta: &[f64]) -> Result<(), FieldError> {
        self.0.set_params(theta)
    }
}

impl VectorField<f64> for TensorLagrangian {
    fn dim(&self) -> usize {
        self.0.input_dim()
    }

    fn eval(
        &self,
        at: At<'_, f64>,
        x: &[f64],
        dx: &mut [f64],
        _: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        download(&self.tensor_field(&upload(x, at.batch()))?, dx);
        Ok(())
    }

    fn block_len(&self) -> usize {
        usize::MAX
    }
}

impl DifferentiableField<f64> for TensorLagrangian {
    /// The states, and the field of them.
    type Residuals = Option<(Tensor, Tensor)>;

    fn eval_recorded(
        &self,
        at: At<'_, f64>,
        x: &[f64],
        dx: &mut [f64],
        residuals: &mut Self::Residuals,
    ) -> Result<(), FieldError> {
        let x = upload(x, at.batch());
        let field = self.tensor_field(&x)?;
        download(&field, dx);
        *residuals = Some((x, field));
        Ok(())
    }

    fn vjp(
        &self,
        _: &[f64],
        residuals: &mut Self::Residuals,
        v: &[f64],
        bars: Bars<'_, f64>,
    ) -> Result<(), FieldError> {
        let (x, field) = residuals.take().expect("recorded");
        let v = upload(v, x.size()[0] as usize).detach();
        let params = self.tensor_params();
        let inputs: Vec<&Tensor> = [&x].into_iter().chain(&params).collect();
        let found = gradients(&(field * v), &inputs);
        download(&found[0], bars.x);
        if let Some(theta_bar) = bars.theta.into_sum(x.size()[0] as usize)? {
            theta_bar.iter_mut().zip(numbers(&found[1..])).for_each(|(sum, g)| *sum += g);
        }
        Ok(())
    }
}
