//! Means and sizes of columns.

use hnn_integrators::Scalar;
use ndarray::{ArrayView1, ArrayView2};

use crate::ModelError;

/// Of each column of an array; sizes are positive.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(crate) struct Sizes {
    pub(crate) mean: Vec<f64>,
    /// The standard deviation, or the absolute value of a constant.
    pub(crate) deviation: Vec<f64>,
    /// The root of the mean square.
    pub(crate) about_zero: Vec<f64>,
}

impl Sizes {
    pub(crate) fn of<T: Scalar>(columns: ArrayView2<'_, T>) -> Self {
        let (mut mean, mut deviation, mut about_zero) = (Vec::new(), Vec::new(), Vec::new());
        for column in columns.columns() {
            let size = root_mean_square(column);
            let share = |x: &T| x.to_f64() / column.len() as f64;
            let m = column.iter().map(share).sum();
            let spread = distance(column, m);
            // What rounding leaves of a constant is no deviation.
            let is_constant = spread <= 8.0 * T::EPSILON.to_f64() * size;
            let size = if size > 0.0 { size } else { 1.0 };
            mean.push(m);
            deviation.push(if is_constant { size } else { spread });
            about_zero.push(size);
        }
        Self { mean, deviation, about_zero }
    }

    /// Those of the first columns alone.
    pub(crate) fn keep(&mut self, columns: usize) {
        self.lists().into_iter().for_each(|list| list.truncate(columns));
    }

    /// With more columns after these.
    pub(crate) fn append(&mut self, mut more: Self) {
        let lists = self.lists().into_iter().zip(more.lists());
        lists.for_each(|(list, more)| list.append(more));
    }

    fn lists(&mut self) -> [&mut Vec<f64>; 3] {
        [&mut self.mean, &mut self.deviation, &mut self.about_zero]
    }

    /// The sizes of derivatives of these columns.
    pub(crate) fn rates<T: Scalar>(&self, derivatives: ArrayView2<'_, T>) -> Vec<f64> {
        let columns = derivatives.columns().into_iter();
        let rates: Vec<f64> = columns.map(root_mean_square).collect();
        let relative = rates.iter().zip(&self.deviation).map(|(rate, size)| rate / size);
        let fastest = relative.fold(0.0, f64::max);
        let fastest = if fastest > 0.0 { fastest } else { 1.0 };
        let sizes = rates.iter().zip(&self.deviation);
        sizes.map(|(rate, size)| if *rate > 0.0 { *rate } else { size * fastest }).collect()
    }
}

/// The root of the mean of `x^2`.
pub(crate) fn root_mean_square<T: Scalar>(column: ArrayView1<'_, T>) -> f64 {
    distance(column, 0.0)
}

/// The root of the mean of `(x - about)^2`, of numbers of any size.
fn distance<T: Scalar>(column: ArrayView1<'_, T>, about: f64) -> f64 {
    let distances = || column.iter().map(|x| x.to_f64() - about);
    let most = distances().map(f64::abs).fold(0.0, f64::max);
    if most == 0.0 {
        return 0.0;
    }
    let squares: f64 = distances().map(|distance| (distance / most).powi(2)).sum();
    most * (squares / column.len() as f64).sqrt()
}

/// Checks that an array has rows, as many rows and columns as are expected, and finite numbers.
pub(crate) fn check<T: Scalar>(
    what: &'static str,
    rows: ArrayView2<'_, T>,
    count: usize,
    columns: usize,
) -> Result<(), ModelError> {
    if rows.nrows() == 0 {
        return Err(refused(what, "there are none".to_owned()));
    }
    if rows.nrows() != count {
        let given = rows.nrows();
        return Err(refused(
            what,
            format!("there are {given} for {count} states: give one for each"),
        ));
    }
    if rows.ncols() != columns {
        let given = rows.ncols();
        return Err(refused(what, format!("a row has {given} numbers, but {columns} are needed")));
    }
    match rows.indexed_iter().find(|(_, value)| !value.is_finite()) {
        None => Ok(()),
        Some(((row, column), value)) => Err(refused(
            what,
            format!("number {column} of row {row} is {value}: leave the row out"),
        )),
    }
}

pub(crate) fn refused(what: &'static str, reason: String) -> ModelError {
    ModelError::Scales { what, reason }
}
