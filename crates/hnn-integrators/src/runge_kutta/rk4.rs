//! The classical Runge-Kutta method.

use ndarray::{Array2, ArrayView2};

use super::{Tableau, explicit_method};
use crate::field::{check_dimension, coordinate_major, rows};
use crate::{FieldError, Scalar, Stepper, VectorField, Workspace};

explicit_method! {
    /// The classical Runge-Kutta method: order 4, four stages.
    ///
    /// Kutta, *Z. Math. Phys.* 46 (1901), 435-453.
    Rk4,
    Tableau {
        name: "RK4",
        order: 4,
        a: &[0.5, 0.0, 0.5, 0.0, 0.0, 1.0],
        b: &[1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0],
        c: &[0.0, 0.5, 0.5, 1.0],
    }
}

/// The **increment** `x(t + dt) - x(t)` of one [`Rk4`] step for states of shape (B, D), a row a
/// state: `dt/6 (k_1 + 2 k_2 + 2 k_3 + k_4)`.
///
/// ```
/// use hnn_integrators::{rk4, FnField};
/// use ndarray::array;
/// let spring = FnField::new(2, |_t, x: &[f64], dx: &mut [f64]| {
///     dx[0] = 2.0 * x[1];
///     dx[1] = -2.0 * x[0];
/// });
/// let x = array![[1.0, 0.0], [0.0, 1.0]];
/// let next = &x + &rk4(&spring, 0.0, 0.1, x.view())?;
/// assert!((next[[0, 0]] - 0.2f64.cos()).abs() < 1e-5);
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
///
/// # Errors
/// If the rows have another dimension than the field, or the field's own error.
pub fn rk4<T: Scalar, F: VectorField<T> + ?Sized>(
    field: &F,
    t: T,
    dt: T,
    x: ArrayView2<'_, T>,
) -> Result<Array2<T>, FieldError> {
    check_dimension(field.dim(), x.ncols())?;
    let batch = x.nrows();
    let start = coordinate_major(x);
    let mut end = vec![T::ZERO; start.len()];
    let (t, dt) = (vec![t; batch], vec![dt; batch]);
    Rk4.step(field, &t, &dt, &start, &mut end, &mut Workspace::default())?;
    end.iter_mut().zip(&start).for_each(|(end, start)| *end -= *start);
    Ok(rows(&end, batch, x.ncols()))
}
