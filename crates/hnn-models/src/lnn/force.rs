//! Generalised forces on the right-hand side of the Euler-Lagrange equation.

use hnn_integrators::{FieldError, Mode, Parameters, Scalar, Workspace};

use crate::{Friction, ModelError};

/// A generalised force `Q(t, q, v)`, n numbers a state, as it enters
/// `d/dt dL/dv - dL/dq = Q`.
///
/// [`Unforced`] is none, [`FrictionForce`] a learned friction, [`InputForce`] a known input such as
/// a motor's torque; a pair `(A, B)` is their sum.
pub trait GeneralisedForce<T: Scalar>: Parameters<T> + Send + Sync {
    /// What an evaluation keeps for its pull-back.
    type Residuals: Default + Send;

    /// Whether the force fits states of dimension `dim = 2n`.
    ///
    /// # Errors
    /// If it does not.
    fn check(&self, dim: usize) -> Result<(), ModelError>;

    /// `force += Q(t, x)`: `t` holds B times, `x` D * B numbers, `force` n * B, coordinate-major.
    ///
    /// # Errors
    /// If the engine fails.
    fn add(
        &self,
        t: &[T],
        x: &[T],
        force: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError>;

    /// As [`add`](Self::add), keeping the residuals.
    ///
    /// # Errors
    /// If the engine fails.
    fn add_recorded(
        &self,
        t: &[T],
        x: &[T],
        force: &mut [T],
        residuals: &mut Self::Residuals,
    ) -> Result<(), FieldError>;

    /// For the cotangent `force_bar` of the force: **adds** `(dQ/dx)^T force_bar` to `x_bar`, and
    /// `sum over rows of (dQ/dtheta)^T force_bar` to `theta_bar` where it is asked for.
    ///
    /// # Errors
    /// If the engine fails.
    fn add_vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        force_bar: &[T],
        x_bar: &mut [T],
        theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError>;
}

/// No force: `Q = 0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unforced;

impl<T: Scalar> Parameters<T> for Unforced {
    fn num_params(&self) -> usize {
        0
    }
    fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
        FieldError::check_parameters(out.len(), 0)
    }
    fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
        FieldError::check_parameters(theta.len(), 0)
    }
}

impl<T: Scalar> GeneralisedForce<T> for Unforced {
    type Residuals = ();

    fn check(&self, _dim: usize) -> Result<(), ModelError> {
        Ok(())
    }
    fn add(&self, _: &[T], _: &[T], _: &mut [T], _: &mut Workspace<T>) -> Result<(), FieldError> {
        Ok(())
    }
    fn add_recorded(&self, _: &[T], _: &[T], _: &mut [T], _: &mut ()) -> Result<(), FieldError> {
        Ok(())
    }
    fn add_vjp(
        &self,
        _: &[T],
        _: &mut (),
        _: &[T],
        _: &mut [T],
        _: Option<&mut [T]>,
    ) -> Result<(), FieldError> {
        Ok(())
    }
}

/// A known input `Q = u(t)`, such as a motor's torque: `u(t, out)` writes the n forces at time t.
///
/// A closure has no form in a file, so a model with an input is no [`Persist`](crate::Persist):
/// save its Lagrangian, and put the input on again when it is loaded. Forces fix what a Lagrangian
/// alone leaves open, its factor: with a known torque the energies come out in the torque's units.
#[derive(Debug, Clone, Copy)]
pub struct InputForce<U> {
    n: usize,
    input: U,
}

impl<U> InputForce<U> {
    /// An input of n forces.
    pub fn new<T: Scalar>(n: usize, input: U) -> Self
    where
        U: Fn(T, &mut [T]) + Send + Sync,
    {
        Self { n, input }
    }
}

impl<T: Scalar, U> Parameters<T> for InputForce<U> {
    fn num_params(&self) -> usize {
        0
    }
    fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
        FieldError::check_parameters(out.len(), 0)
    }
    fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
        FieldError::check_parameters(theta.len(), 0)
    }
}

impl<T: Scalar, U: Fn(T, &mut [T]) + Send + Sync> GeneralisedForce<T> for InputForce<U> {
    type Residuals = Vec<T>;

    fn check(&self, dim: usize) -> Result<(), ModelError> {
        let (given, expected) = (self.n, dim / 2);
        if given == expected {
            return Ok(());
        }
        Err(ModelError::OutputSize { role: "input force", given, expected })
    }

    fn add(
        &self,
        t: &[T],
        _x: &[T],
        force: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        FieldError::check_lengths(self.n * t.len(), [("the forces", force.len())])?;
        let (u, _) = workspace.split(self.n);
        for (row, t) in t.iter().enumerate() {
            u.fill(T::ZERO);
            (self.input)(*t, u);
            u.iter().enumerate().for_each(|(i, u)| force[i * (force.len() / self.n) + row] += *u);
        }
        Ok(())
    }

    fn add_recorded(
        &self,
        t: &[T],
        x: &[T],
        force: &mut [T],
        _residuals: &mut Vec<T>,
    ) -> Result<(), FieldError> {
        self.add(t, x, force, &mut Workspace::default())
    }

    fn add_vjp(
        &self,
        _: &[T],
        _: &mut Vec<T>,
        _: &[T],
        _: &mut [T],
        _: Option<&mut [T]>,
    ) -> Result<(), FieldError> {
        Ok(())
    }
}

/// Learned friction that opposes the motion, `Q = -F(q, v)`.
///
/// `F` is any [`Friction`]; with [`Dissipative`](crate::Dissipative) the power `-v . F` that it
/// feeds in is never positive.
///
/// ```
/// use hnn_models::{Architecture, Dissipative, FrictionForce, Initialisation, Lnn};
/// use hnn_models::{MechanicalLagrangian, Mlp};
/// use hnn_systems::HamiltonianExt;
/// use hnn_integrators::VectorField;
/// let network = |sizes: &[usize], seed| -> Result<_, hnn_models::ModelError> {
///     Ok(Mlp::<f64>::new(Architecture::new(sizes)?, Initialisation::Orthogonal, seed))
/// };
/// // One degree of freedom: T(q, v) - V(q), and friction R(q, v) v with R >= 0.
/// let lagrangian = MechanicalLagrangian::new(network(&[1, 16, 1], 1)?, network(&[1, 16, 1], 2)?)?;
/// let friction = FrictionForce::new(Dissipative::new(network(&[2, 16, 1], 3)?)?);
/// let model = Lnn::forced(lagrangian, friction)?;
/// // Its energy v dL/dv - L never grows: dE/dt = grad E . dx/dt <= 0.
/// let x = [0.4, 1.5];
/// let (gradient, dx) = (model.energy_gradient_state(&x)?, model.eval_state(0.0, &x)?);
/// assert!(gradient[0] * dx[0] + gradient[1] * dx[1] <= 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FrictionForce<F> {
    friction: F,
}

impl<F> FrictionForce<F> {
    /// The force of a friction.
    pub const fn new(friction: F) -> Self {
        Self { friction }
    }

    /// The friction `F`.
    pub fn friction(&self) -> &F {
        &self.friction
    }
}

/// What a [`FrictionForce`] keeps for its pull-back.
#[derive(Debug, Default)]
pub struct FrictionResiduals<T, R> {
    friction: R,
    /// `F` in the forward pass, its cotangent in the pull-back.
    force: Vec<T>,
    x_bar: Vec<T>,
}

impl<T: Scalar, F: Parameters<T>> Parameters<T> for FrictionForce<F> {
    fn num_params(&self) -> usize {
        self.friction.num_params()
    }
    fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
        self.friction.copy_params(out)
    }
    fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
        self.friction.set_params(theta)
    }
    fn set_mode(&mut self, mode: Mode) {
        self.friction.set_mode(mode);
    }
}

impl<T: Scalar, F: Friction<T>> GeneralisedForce<T> for FrictionForce<F> {
    type Residuals = FrictionResiduals<T, F::Residuals>;

    fn check(&self, dim: usize) -> Result<(), ModelError> {
        let role = "friction";
        let (inputs, outputs) = (self.friction.input_dim(), self.friction.output_dim());
        if inputs != dim {
            return Err(ModelError::InputSize { role, given: inputs, expected: dim });
        }
        if outputs != dim / 2 {
            return Err(ModelError::OutputSize { role, given: outputs, expected: dim / 2 });
        }
        Ok(())
    }

    fn add(
        &self,
        t: &[T],
        x: &[T],
        force: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let (friction, inner) = workspace.split(force.len());
        self.friction.eval(t.len(), x, friction, inner)?;
        force.iter_mut().zip(friction).for_each(|(q, f)| *q -= *f);
        Ok(())
    }

    fn add_recorded(
        &self,
        t: &[T],
        x: &[T],
        force: &mut [T],
        residuals: &mut Self::Residuals,
    ) -> Result<(), FieldError> {
        residuals.force.resize(force.len(), T::ZERO);
        let FrictionResiduals { friction, force: f, .. } = residuals;
        self.friction.eval_recorded(t.len(), x, f, friction)?;
        force.iter_mut().zip(f).for_each(|(q, f)| *q -= *f);
        Ok(())
    }

    fn add_vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        force_bar: &[T],
        x_bar: &mut [T],
        theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError> {
        let FrictionResiduals { friction, force, x_bar: own } = residuals;
        FieldError::check_lengths(force.len(), [("the forces' cotangents", force_bar.len())])?;
        FieldError::check_lengths(x.len(), [("the states' cotangents", x_bar.len())])?;
        force.iter_mut().zip(force_bar).for_each(|(f, q)| *f = -*q);
        own.resize(x.len(), T::ZERO);
        self.friction.vjp(x, friction, force, own, theta_bar)?;
        x_bar.iter_mut().zip(own).for_each(|(sum, x)| *sum += *x);
        Ok(())
    }
}

impl<T: Scalar, A: Parameters<T>, B: Parameters<T>> Parameters<T> for Sum<A, B> {
    fn num_params(&self) -> usize {
        self.0.num_params() + self.1.num_params()
    }
    fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
        FieldError::check_parameters(out.len(), self.num_params())?;
        let (a, b) = out.split_at_mut(self.0.num_params());
        self.0.copy_params(a)?;
        self.1.copy_params(b)
    }
    fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
        FieldError::check_parameters(theta.len(), self.num_params())?;
        let (a, b) = theta.split_at(self.0.num_params());
        self.0.set_params(a)?;
        self.1.set_params(b)
    }
    fn set_mode(&mut self, mode: Mode) {
        self.0.set_mode(mode);
        self.1.set_mode(mode);
    }
}

/// The sum of two forces.
#[derive(Debug, Clone, PartialEq)]
pub struct Sum<A, B>(pub A, pub B);

impl<T: Scalar, A: GeneralisedForce<T>, B: GeneralisedForce<T>> GeneralisedForce<T> for Sum<A, B> {
    type Residuals = (A::Residuals, B::Residuals);

    fn check(&self, dim: usize) -> Result<(), ModelError> {
        self.0.check(dim)?;
        self.1.check(dim)
    }

    fn add(
        &self,
        t: &[T],
        x: &[T],
        force: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.0.add(t, x, force, workspace)?;
        self.1.add(t, x, force, workspace)
    }

    fn add_recorded(
        &self,
        t: &[T],
        x: &[T],
        force: &mut [T],
        residuals: &mut Self::Residuals,
    ) -> Result<(), FieldError> {
        self.0.add_recorded(t, x, force, &mut residuals.0)?;
        self.1.add_recorded(t, x, force, &mut residuals.1)
    }

    fn add_vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        force_bar: &[T],
        x_bar: &mut [T],
        theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError> {
        let (a, b) = match theta_bar {
            Some(theta_bar) => {
                let (a, b) = theta_bar.split_at_mut(self.0.num_params());
                (Some(a), Some(b))
            }
            None => (None, None),
        };
        self.0.add_vjp(x, &mut residuals.0, force_bar, x_bar, a)?;
        self.1.add_vjp(x, &mut residuals.1, force_bar, x_bar, b)
    }
}
