//! Where a pull-back leaves its cotangents.

use std::ops::{Bound, Range, RangeBounds};

use crate::{FieldError, Scalar};

/// Where a pull-back leaves the cotangents of what it was computed from: the states, the inputs
/// and the parameters.
///
/// `x` is always written; `u` and `theta` are **added** to, where they are asked for.
///
/// ```
/// use hnn_integrators::{At, Bars, DifferentiableField, DualField};
/// // dx/dt = a x + b at two states, x = 1 and x = 2; the cotangents of the slopes are 1 and 10.
/// let field = DualField::new([3.0, 0.5], |_t, [x]: [_; 1], [a, b]| [a * x + b]);
/// let (x, v, mut residuals) = ([1.0, 2.0], [1.0, 10.0], Default::default());
/// field.eval_recorded(At::time(&[0.0; 2]), &x, &mut [0.0; 2], &mut residuals)?;
/// // The states' alone.
/// let mut x_bar = [0.0; 2];
/// field.vjp(&x, &mut residuals, &v, Bars::new(&mut x_bar))?;
/// assert_eq!(x_bar, [3.0, 30.0]);
/// // The parameters', summed over the rows.
/// let mut theta_bar = [0.0; 2];
/// field.vjp(&x, &mut residuals, &v, Bars::new(&mut x_bar).with_theta(&mut theta_bar))?;
/// assert_eq!(theta_bar, [21.0, 11.0]);
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
#[derive(Debug)]
pub struct Bars<'a, T> {
    /// The states' cotangent, `D * B` numbers, coordinate-major.
    pub x: &'a mut [T],
    /// The inputs' cotangent, coordinate-major: `K * B` numbers of an evaluation; of a step those at
    /// its begin, then those at its end; of a rollout those at each state, one state after the
    /// other.
    pub u: Option<&'a mut [T]>,
    /// The parameters' cotangent.
    pub theta: ThetaBar<'a, T>,
}

impl<'a, T: Scalar> Bars<'a, T> {
    /// The states' cotangent alone.
    #[must_use]
    pub const fn new(x: &'a mut [T]) -> Self {
        Self { x, u: None, theta: ThetaBar::None }
    }

    /// The same with the inputs' cotangent.
    #[must_use]
    pub fn with_u(self, u: impl Into<Option<&'a mut [T]>>) -> Self {
        Self { u: u.into(), ..self }
    }

    /// The same with the parameters' cotangent.
    #[must_use]
    pub fn with_theta(self, theta: impl Into<ThetaBar<'a, T>>) -> Self {
        Self { theta: theta.into(), ..self }
    }

    /// The same places, lent for a shorter time.
    pub fn reborrow(&mut self) -> Bars<'_, T> {
        Bars { x: self.x, u: self.u.as_deref_mut(), theta: self.theta.reborrow() }
    }

    /// Checks the slices of a field's vector-Jacobian product, at `batch` states `x` with the
    /// cotangents `v` of the slopes; the field has `dim` coordinates, and as many inputs and
    /// parameters as said.
    ///
    /// # Errors
    /// If one has another length.
    pub fn check(
        &self,
        batch: usize,
        [dim, inputs, params]: [usize; 3],
        [x, v]: [&[T]; 2],
    ) -> Result<(), FieldError> {
        FieldError::check_cotangents(dim * batch, [x, v, &*self.x])?;
        self.check_inputs(inputs * batch)?;
        self.theta.check(params, batch)
    }

    /// Checks the length of the inputs' cotangent, where it is asked for.
    ///
    /// # Errors
    /// If it is another.
    pub fn check_inputs(&self, expected: usize) -> Result<(), FieldError> {
        let given = self.u.as_deref().map_or(expected, <[T]>::len);
        FieldError::check_lengths(expected, [("the inputs' cotangents", given)])
    }
}

/// Where a pull-back adds the parameters' cotangent: nowhere, to its sum over the rows of the
/// batch, or to a row of numbers of each row of the batch.
///
/// With rows one pull-back gives the Jacobian of all residuals of a batch, one residual a row:
///
/// ```
/// use hnn_integrators::{Bars, DifferentiableStepper, DualField, Interval, RK4, ThetaBar};
/// // dx/dt = a x, one step from x = 1 and from x = 2: dx/da = x dt e^(a dt).
/// let field = DualField::new([0.5], |_t, [x]: [_; 1], [a]| [a * x]);
/// let (over, mut out, mut tape) = (Interval::new(&[0.0; 2], &[0.1; 2]), [0.0; 2], Default::default());
/// RK4.record(&field, over, &[1.0, 2.0], &mut out, &mut tape)?;
/// let (mut x_bar, mut jacobian) = ([1.0; 2], [0.0; 2]);
/// let bars = Bars::new(&mut x_bar).with_theta(ThetaBar::rows(&mut jacobian, 1));
/// RK4.pull_back(&field, &mut tape, bars)?;
/// assert!((jacobian[0] - 0.1 * 0.05f64.exp()).abs() < 1e-7);
/// assert!((jacobian[1] - 0.2 * 0.05f64.exp()).abs() < 1e-7);
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
///
/// A model of parts hands each its own parameters ([`part`](Self::part)); what has parameters of its
/// own adds to them by [`add`](Self::add) and [`add_rows`](Self::add_rows), or by hand.
#[derive(Debug)]
pub enum ThetaBar<'a, T> {
    /// It is not asked for.
    None,
    /// Its sum over the rows of the batch, `P` numbers.
    Sum(&'a mut [T]),
    /// That of each row of the batch.
    Rows(ThetaRows<'a, T>),
}

/// A range of the columns of a row-major block, of a row for each row of the batch: made by
/// [`ThetaBar::rows`].
#[derive(Debug)]
pub struct ThetaRows<'a, T> {
    block: &'a mut [T],
    stride: usize,
    columns: Range<usize>,
}

impl<T> ThetaRows<'_, T> {
    /// The rows, `P` numbers each.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
        let Range { start, end } = self.columns;
        self.block.chunks_exact_mut(self.stride.max(1)).map(move |row| &mut row[start..end])
    }
}

impl<'a, T: Scalar> ThetaBar<'a, T> {
    /// A row for each row of the batch, the `P` numbers of row `b` at `block[b * stride..]`. Where
    /// `stride` is more than `P`, [`part`](Self::part) says which columns are meant.
    #[must_use]
    pub const fn rows(block: &'a mut [T], stride: usize) -> Self {
        Self::Rows(ThetaRows { block, stride, columns: 0..stride })
    }

    /// Whether it is asked for.
    #[must_use]
    pub const fn is_wanted(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// The same place, lent for a shorter time.
    pub fn reborrow(&mut self) -> ThetaBar<'_, T> {
        match self {
            Self::None => ThetaBar::None,
            Self::Sum(sum) => ThetaBar::Sum(sum),
            Self::Rows(ThetaRows { block, stride, columns }) => {
                ThetaBar::Rows(ThetaRows { block, stride: *stride, columns: columns.clone() })
            }
        }
    }

    /// The place of some of the parameters: those of a part. Of a range that goes beyond the
    /// parameters, what is within, so that the part sees that there are too few.
    #[must_use]
    pub fn part(self, parameters: impl RangeBounds<usize>) -> Self {
        let within = |len: usize| {
            let start = match parameters.start_bound() {
                Bound::Included(start) => *start,
                Bound::Excluded(before) => before.saturating_add(1),
                Bound::Unbounded => 0,
            };
            let end = match parameters.end_bound() {
                Bound::Included(last) => last.saturating_add(1),
                Bound::Excluded(end) => *end,
                Bound::Unbounded => len,
            };
            start.min(len)..end.clamp(start.min(len), len)
        };
        match self {
            Self::None => Self::None,
            Self::Sum(sum) => {
                let range = within(sum.len());
                Self::Sum(&mut sum[range])
            }
            Self::Rows(ThetaRows { block, stride, columns }) => {
                let Range { start, end } = within(columns.len());
                let columns = columns.start + start..columns.start + end;
                Self::Rows(ThetaRows { block, stride, columns })
            }
        }
    }

    /// Checks that there is a place for each of `params` parameters, and a row for each of `batch`
    /// rows.
    ///
    /// # Errors
    /// If there is not.
    pub fn check(&self, params: usize, batch: usize) -> Result<(), FieldError> {
        self.check_parameters(params)?;
        let Self::Rows(ThetaRows { block, stride, .. }) = self else { return Ok(()) };
        let given = [("the rows of the parameters' cotangents", block.len())];
        FieldError::check_lengths(stride.saturating_mul(batch), given)
    }

    /// Checks that there is a place for each of `params` parameters.
    ///
    /// # Errors
    /// If there is not.
    pub fn check_parameters(&self, params: usize) -> Result<(), FieldError> {
        let given = match self {
            Self::None => params,
            Self::Sum(sum) => sum.len(),
            Self::Rows(rows) => rows.columns.len(),
        };
        FieldError::check_parameters(given, params)
    }

    /// Adds the share of row `row` in the cotangent of parameter `k`.
    ///
    /// # Panics
    /// If there is no such row or parameter: [`check`](Self::check) first.
    #[inline]
    pub fn add(&mut self, row: usize, k: usize, share: T) {
        match self {
            Self::None => {}
            Self::Sum(sum) => sum[k] += share,
            Self::Rows(ThetaRows { block, stride, columns }) => {
                block[row * *stride..][columns.clone()][k] += share;
            }
        }
    }

    /// Adds the shares of all rows, one after the other, in the cotangent of parameter `k`.
    ///
    /// # Panics
    /// If there is no such parameter: [`check`](Self::check) first.
    #[inline]
    pub fn add_rows(&mut self, k: usize, shares: impl Iterator<Item = T>) {
        match self {
            Self::None => {}
            Self::Sum(sum) => sum[k] += shares.sum(),
            Self::Rows(rows) => {
                rows.iter_mut().zip(shares).for_each(|(row, share)| row[k] += share)
            }
        }
    }

    /// The one slice to add to, for what knows nothing but sums over the `batch` rows: the rows of a
    /// batch of one are their sum.
    ///
    /// # Errors
    /// [`FieldError::SumsOnly`] if rows are asked for, and there are several.
    pub fn into_sum(self, batch: usize) -> Result<Option<&'a mut [T]>, FieldError> {
        match self {
            Self::None => Ok(None),
            Self::Sum(sum) => Ok(Some(sum)),
            Self::Rows(ThetaRows { block, columns, .. }) if batch == 1 => {
                Ok(Some(&mut block[columns]))
            }
            Self::Rows(_) => Err(FieldError::SumsOnly),
        }
    }
}

impl<'a, T> From<Option<&'a mut [T]>> for ThetaBar<'a, T> {
    fn from(sum: Option<&'a mut [T]>) -> Self {
        sum.map_or(Self::None, Self::Sum)
    }
}

impl<'a, T> From<&'a mut [T]> for ThetaBar<'a, T> {
    fn from(sum: &'a mut [T]) -> Self {
        Self::Sum(sum)
    }
}

impl<'a, T> From<&'a mut Vec<T>> for ThetaBar<'a, T> {
    fn from(sum: &'a mut Vec<T>) -> Self {
        Self::Sum(sum)
    }
}

impl<'a, T, const N: usize> From<&'a mut [T; N]> for ThetaBar<'a, T> {
    fn from(sum: &'a mut [T; N]) -> Self {
        Self::Sum(sum)
    }
}
