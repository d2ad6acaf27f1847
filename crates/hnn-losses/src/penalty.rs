//! Penalties on the parameters.

use std::ops::Range;

use hnn_integrators::{Lane, Parameters, Scalar};

use crate::checks::check_gradient;
use crate::loss::take_sums;
use crate::{Loss, LossError, ResidualLayout, ResidualRows, RowSelection};

/// `|theta|_2^2`, the sum of the squares of all parameters (biases included).
///
/// With weight `lambda` in a [`TotalLoss`](crate::TotalLoss) its gradient is
/// `2 lambda theta`; PyTorch's `weight_decay = w` adds `w theta`, so `w = 2 lambda`.
///
/// ```
/// use hnn_integrators::DualField;
/// use hnn_losses::{L2Penalty, Loss, RowSelection};
/// let model = DualField::new([0.5, -2.0], |_t, [q, p]: [_; 2], [k, c]| [p, -k * q - c * p]);
/// let mut gradient = [0.0; 2];
/// let value = L2Penalty::new().value_and_gradient(&model, RowSelection::All, 1.0, &mut gradient)?;
/// assert_eq!((value, gradient), (4.25, [1.0, -4.0]));
/// # Ok::<(), hnn_losses::LossError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct L2Penalty<T>(Copied<T>);

/// `|theta|_1`, the sum of the absolute values of all parameters (biases included); at 0 its
/// subgradient 0 is taken.
///
/// ```
/// use hnn_integrators::DualField;
/// use hnn_losses::{L1Penalty, Loss, RowSelection};
/// let model = DualField::new([0.5, -2.0], |_t, [q, p]: [_; 2], [k, c]| [p, -k * q - c * p]);
/// let mut gradient = [0.0; 2];
/// let value = L1Penalty::new().value_and_gradient(&model, RowSelection::All, 1.0, &mut gradient)?;
/// assert_eq!((value, gradient), (2.5, [1.0, -1.0]));
/// # Ok::<(), hnn_losses::LossError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct L1Penalty<T>(Copied<T>);

/// A copy of a model's parameters.
#[derive(Debug, Clone)]
struct Copied<T> {
    theta: Vec<T>,
    /// On each of so many ranks the penalty is its share of the whole one.
    ranks: f64,
}

impl<T> Default for Copied<T> {
    fn default() -> Self {
        Self { theta: Vec::new(), ranks: 1.0 }
    }
}

impl<T: Scalar> Copied<T> {
    fn refresh<F: Parameters<T> + ?Sized>(&mut self, field: &F) -> Result<&[T], LossError> {
        self.theta.resize(field.num_params(), T::ZERO);
        field.copy_params(&mut self.theta)?;
        Ok(&self.theta)
    }
}

/// A penalty that is a sum over the parameters: its term, and the derivative of that.
macro_rules! penalty {
    ($penalty:ident, $name:literal, $term:expr, $derivative:expr, $prior:expr) => {
        impl<T: Scalar> $penalty<T> {
            /// The penalty.
            #[must_use]
            pub fn new() -> Self {
                Self::default()
            }
        }

        impl<T: Scalar, F: Parameters<T> + ?Sized> Loss<T, F> for $penalty<T> {
            fn name(&self) -> &str {
                $name
            }

            fn value(&mut self, field: &F, _selection: RowSelection<'_>) -> Result<f64, LossError> {
                let term: fn(T) -> T = $term;
                let sum: f64 = self.0.refresh(field)?.iter().map(|w| term(*w).to_f64()).sum();
                Ok(sum / self.0.ranks)
            }

            fn value_and_gradient(
                &mut self,
                field: &F,
                selection: RowSelection<'_>,
                weight: f64,
                theta_bar: &mut [T],
            ) -> Result<f64, LossError> {
                check_gradient(theta_bar.len(), field.num_params())?;
                let value = self.value(field, selection)?;
                let share = T::from_f64(weight / self.0.ranks);
                let (weight, derivative): (T, fn(T) -> T) = (share, $derivative);
                let parts = theta_bar.iter_mut().zip(&self.0.theta);
                parts.for_each(|(sum, w)| *sum += weight * derivative(*w));
                Ok(value)
            }

            fn residual_layout(
                &mut self,
                _field: &F,
                _selection: RowSelection<'_>,
            ) -> Result<ResidualLayout, LossError> {
                let prior: Option<f64> = $prior;
                let loss = $name.to_owned();
                let prior = prior.ok_or(LossError::NoResiduals { loss })?;
                let mut layout = ResidualLayout::default();
                layout.prior = prior / self.0.ranks;
                Ok(layout)
            }

            fn residuals(
                &mut self,
                _field: &F,
                groups: Range<usize>,
                rows: ResidualRows<'_, T>,
            ) -> Result<(), LossError> {
                ResidualLayout::default().check(&groups, rows.num_params(), &rows)
            }

            fn row_sums(
                &self,
                _selection: RowSelection<'_>,
                sums: &mut Vec<f64>,
            ) -> Result<(), LossError> {
                sums.push(1.0);
                Ok(())
            }

            fn set_row_sums(&mut self, sums: &mut &[f64]) -> Result<(), LossError> {
                self.0.ranks = take_sums(sums, 1)?[0];
                Ok(())
            }
        }
    };
}

penalty!(L2Penalty, "l2", |w| w * w, |w| w + w, Some(1.0));
penalty!(
    L1Penalty,
    "l1",
    |w| Lane::abs(w),
    |w| { if w == T::ZERO { T::ZERO } else { w.signum() } },
    None
);
