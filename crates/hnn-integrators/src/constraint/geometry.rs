//! The constraints at one row of a batch: their Jacobian, and linear equations with it.

use crate::lane::Dual;
use crate::{Constraint, FieldError, Inertia, LaneState, Scalar, StateForm};

/// Numbers of one row of a coordinate-major batch.
pub(crate) fn gather<T: Scalar, S: LaneState<T>>(x: &[T], batch: usize, row: usize) -> S {
    S::from_fn(|i| x[i * batch + row])
}

/// The way back.
pub(crate) fn scatter<T: Scalar, S: LaneState<T>>(s: &S, x: &mut [T], batch: usize, row: usize) {
    s.as_ref().iter().enumerate().for_each(|(i, value)| x[i * batch + row] = *value);
}

/// The constraints at the positions of one row.
pub(crate) struct Geometry<'a, T: Scalar, C: Constraint> {
    constraint: &'a C,
    pub(crate) inertia: &'a Inertia<T>,
    pub(crate) q: C::Position<T>,
    jacobian: C::Values<C::Position<T>>,
}

impl<'a, T: Scalar, C: Constraint> Geometry<'a, T, C> {
    pub(crate) fn new(constraint: &'a C, inertia: &'a Inertia<T>, q: C::Position<T>) -> Self {
        let jacobian = constraint.jacobian_lanes(&q);
        Self { constraint, inertia, q, jacobian }
    }

    /// The same constraints elsewhere.
    pub(crate) fn elsewhere(&self, q: C::Position<T>) -> Self {
        Self::new(self.constraint, self.inertia, q)
    }

    /// `Phi(q)`.
    pub(crate) fn values(&self) -> C::Values<T> {
        self.constraint.values_lanes(&self.q)
    }

    /// `G y` with `G = D Phi`.
    pub(crate) fn along(&self, y: impl Fn(usize) -> T) -> C::Values<T> {
        C::Values::from_fn(|k| {
            self.jacobian.as_ref()[k].as_ref().iter().enumerate().map(|(i, g)| *g * y(i)).sum()
        })
    }

    /// `G^T lambda`.
    pub(crate) fn reaction(&self, lambda: &C::Values<T>) -> C::Position<T> {
        reaction::<T, C>(&self.jacobian, lambda)
    }

    /// The solution of `(G M^-1 G_other^T) y = b`, or `None` where the constraints are not
    /// independent.
    pub(crate) fn solve(&self, other: &Self, b: C::Values<T>) -> Option<C::Values<T>> {
        let weights = self.inertia.inverse_masses();
        let entry = |k: usize, l: usize| {
            let (a, b) = (self.jacobian.as_ref()[k].as_ref(), other.jacobian.as_ref()[l].as_ref());
            a.iter().zip(b).zip(weights).map(|((a, b), w)| *a * *b * *w).sum()
        };
        eliminate::<T, C>(C::Values::from_fn(|k| C::Values::from_fn(|l| entry(k, l))), b)
    }

    /// `H(lambda) y`, `H` the sum of the constraints' Hessians times `lambda`.
    pub(crate) fn curvature(&self, lambda: &C::Values<T>, y: &C::Position<T>) -> C::Position<T> {
        let jacobian = self.constraint.jacobian_lanes(&self.line(y));
        C::Position::from_fn(|i| {
            let terms = jacobian.as_ref().iter().zip(lambda.as_ref());
            terms.map(|(row, lambda)| row.as_ref()[i].tangent[0] * *lambda).sum()
        })
    }

    /// `v^T (Hess Phi_k) v` of each constraint: how fast it leaves `Phi = 0` along a straight line.
    pub(crate) fn bending(&self, v: &C::Position<T>) -> C::Values<T> {
        let jacobian = self.constraint.jacobian_lanes(&self.line(v));
        C::Values::from_fn(|k| {
            let terms = jacobian.as_ref()[k].as_ref().iter().zip(v.as_ref());
            terms.map(|(entry, v)| entry.tangent[0] * *v).sum()
        })
    }

    /// The gradient by `q` of `mu . bending(v)`.
    pub(crate) fn bending_gradient(&self, mu: &C::Values<T>, v: &C::Position<T>) -> C::Position<T> {
        // It is the second derivative of `G^T mu` along `v`.
        let twice = C::Position::<Dual<Dual<T, 1>, 1>>::from_fn(|i| {
            let value = Dual { value: self.q.as_ref()[i], tangent: [v.as_ref()[i]] };
            Dual { value, tangent: [Dual::fixed(v.as_ref()[i])] }
        });
        let jacobian = self.constraint.jacobian_lanes(&twice);
        C::Position::from_fn(|i| {
            let terms = jacobian.as_ref().iter().zip(mu.as_ref());
            terms.map(|(row, mu)| row.as_ref()[i].tangent[0].tangent[0] * *mu).sum()
        })
    }

    fn line(&self, v: &C::Position<T>) -> C::Position<Dual<T, 1>> {
        C::Position::from_fn(|i| Dual { value: self.q.as_ref()[i], tangent: [v.as_ref()[i]] })
    }
}

fn reaction<T: Scalar, C: Constraint>(
    jacobian: &C::Values<C::Position<T>>,
    lambda: &C::Values<T>,
) -> C::Position<T> {
    let rows = || jacobian.as_ref().iter().zip(lambda.as_ref());
    C::Position::from_fn(|i| rows().map(|(row, lambda)| row.as_ref()[i] * *lambda).sum())
}

/// Gaussian elimination with partial pivoting; `None` where a pivot vanishes to rounding.
fn eliminate<T: Scalar, C: Constraint>(
    mut matrix: C::Values<C::Values<T>>,
    mut b: C::Values<T>,
) -> Option<C::Values<T>> {
    let (a, y) = (matrix.as_mut(), b.as_mut());
    let n = y.len();
    let at = |a: &[C::Values<T>], i: usize, j: usize| a[i].as_ref()[j];
    let size = |a: &[C::Values<T>], i: usize, j: usize| crate::Lane::abs(at(a, i, j));
    let entries = (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
    let largest = entries.fold(T::ZERO, |most, (i, j)| Scalar::max(most, size(a, i, j)));
    let least = largest * T::EPSILON * T::from_usize(n);
    for k in 0..n {
        let pivot =
            (k + 1..n).fold(k, |best, i| if size(a, i, k) > size(a, best, k) { i } else { best });
        // Not a number passes, and comes out as such.
        if size(a, pivot, k) <= least {
            return None;
        }
        a.swap(k, pivot);
        y.swap(k, pivot);
        for i in k + 1..n {
            let factor = at(a, i, k) / at(a, k, k);
            for j in k + 1..n {
                let above = at(a, k, j);
                a[i].as_mut()[j] -= factor * above;
            }
            let above = y[k];
            y[i] -= factor * above;
        }
    }
    for k in (0..n).rev() {
        let known: T = (k + 1..n).map(|j| at(a, k, j) * y[j]).sum();
        y[k] = (y[k] - known) / at(a, k, k);
    }
    Some(b)
}

/// What a row says whose constraints are not independent.
pub(crate) fn dependent(row: usize) -> FieldError {
    let reason = "its constraints are not independent there: leave out those that others imply, \
                  or begin away from such positions";
    FieldError::Undefined { row, reason: reason.to_owned() }
}

/// The cotangents of the inverse masses, `n * B` numbers.
pub(crate) struct MassBar<'a, T> {
    form: StateForm,
    bar: &'a mut [T],
    batch: usize,
}

impl<'a, T: Scalar> MassBar<'a, T> {
    pub(crate) fn new(form: StateForm, bar: &'a mut [T], batch: usize) -> Self {
        Self { form, bar, batch }
    }

    /// Adds the cotangents of coordinate `i` of the diagonals `E`, `D` and `M^-1`.
    pub(crate) fn add(&mut self, row: usize, i: usize, [e, d, w]: [T; 3]) {
        let own = if self.form == StateForm::Canonical { e } else { d };
        self.bar[i * self.batch + row] += own + w;
    }
}
