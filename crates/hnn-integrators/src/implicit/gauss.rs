//! Gauss-Legendre collocation with one, two and three stages.

use super::ImplicitTableau;
use super::{ImplicitTape, adjoint};
use crate::{
    DifferentiableField, DifferentiableStepper, FieldError, Method, Scalar, Stepper, VectorField,
    Workspace,
};

/// sqrt 3.
const R3: f64 = 1.732_050_807_568_877_2;
/// sqrt 15.
const R15: f64 = 3.872_983_346_207_417;

macro_rules! gauss_method {
    ($(#[$doc:meta])* $method:ident, $name:expr, $order:expr, $a:expr, $b:expr, $c:expr) => {
        $(#[$doc])*
        ///
        /// Symplectic and symmetric for every Hamiltonian, separable or not, and stable however
        /// stiff. The stage equations are solved by fixed-point iteration to rounding, which
        /// converges where `|dt| |df/dx|` is well below 1; a solve that does not is an error with
        /// its residual. Hairer, Lubich, Wanner, *Geometric Numerical Integration*, II.1.3.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct $method;

        impl $method {
            const TABLEAU: ImplicitTableau<'static> = ImplicitTableau { a: &$a, b: &$b, c: &$c };
        }

        impl Method for $method {
            fn name(&self) -> &str {
                $name
            }
            fn order(&self) -> usize {
                $order
            }
        }

        impl<T: Scalar, F: VectorField<T> + ?Sized> Stepper<T, F> for $method {
            fn step(
                &self,
                field: &F,
                t: &[T],
                dt: &[T],
                x: &[T],
                out: &mut [T],
                workspace: &mut Workspace<T>,
            ) -> Result<(), FieldError> {
                super::step::step(&Self::TABLEAU, field, (t, dt), x, out, workspace)
            }
        }

        impl<T, F> DifferentiableStepper<T, F> for $method
        where
            T: Scalar,
            F: DifferentiableField<T> + ?Sized,
        {
            type Tape = ImplicitTape<T, F::Residuals>;

            fn record(
                &self,
                field: &F,
                t: &[T],
                dt: &[T],
                x: &[T],
                out: &mut [T],
                tape: &mut Self::Tape,
            ) -> Result<(), FieldError> {
                adjoint::record(&Self::TABLEAU, field, (t, dt), x, out, tape)
            }

            fn pull_back(
                &self,
                field: &F,
                tape: &mut Self::Tape,
                x_bar: &mut [T],
                theta_bar: Option<&mut [T]>,
            ) -> Result<(), FieldError> {
                adjoint::pull_back(&Self::TABLEAU, field, tape, x_bar, theta_bar)
            }
        }
    };
}

gauss_method! {
    /// The implicit midpoint rule: order 2, one stage.
    ImplicitMidpoint, "implicit midpoint", 2, [0.5], [1.0], [0.5]
}

gauss_method! {
    /// The Gauss-Legendre method of order 4: two stages (Hammer and Hollingsworth, 1955).
    GaussLegendre4, "Gauss-Legendre 4", 4,
    [0.25, 0.25 - R3 / 6.0, 0.25 + R3 / 6.0, 0.25],
    [0.5, 0.5],
    [0.5 - R3 / 6.0, 0.5 + R3 / 6.0]
}

gauss_method! {
    /// The Gauss-Legendre method of order 6: three stages (Kuntzmann, 1961).
    GaussLegendre6, "Gauss-Legendre 6", 6,
    [
        5.0 / 36.0, 2.0 / 9.0 - R15 / 15.0, 5.0 / 36.0 - R15 / 30.0,
        5.0 / 36.0 + R15 / 24.0, 2.0 / 9.0, 5.0 / 36.0 - R15 / 24.0,
        5.0 / 36.0 + R15 / 30.0, 2.0 / 9.0 + R15 / 15.0, 5.0 / 36.0,
    ],
    [5.0 / 18.0, 4.0 / 9.0, 5.0 / 18.0],
    [0.5 - R15 / 10.0, 0.5, 0.5 + R15 / 10.0]
}
