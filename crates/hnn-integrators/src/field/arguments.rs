//! What a closure is called with: a state, or a state and its inputs.

use crate::Scalar;
use crate::lane::Dual;

/// Derivatives taken in one evaluation of a closure over dual numbers.
pub(super) const DIRECTIONS: usize = 4;

/// A number with four derivatives.
pub(super) type Number<T> = Dual<T, DIRECTIONS>;

/// The closure takes a state.
#[derive(Debug, Clone, Copy)]
pub struct NoInputs;

/// The closure takes a state and a slice of so many inputs.
#[derive(Debug, Clone, Copy)]
pub struct SliceInputs(pub(super) usize);

/// The closure takes a state and an array of `K` inputs.
#[derive(Debug, Clone, Copy)]
pub struct ArrayInputs<const K: usize>;

/// How a closure `C` over slices is called.
pub trait Arguments<T, C>: Send + Sync {
    /// Number of inputs.
    fn inputs(&self) -> usize;

    /// Writes the slope.
    fn slope(closure: &C, t: T, x: &[T], u: &[T], dx: &mut [T]);
}

/// How a closure `V` for a vector-Jacobian product is called.
pub trait PullBackArguments<T, V>: Send + Sync {
    /// Writes the cotangents of the state and of the inputs, of the state, the inputs and the slope's
    /// cotangent.
    fn pull_back(closure: &V, t: T, xuv: [&[T]; 3], bars: [&mut [T]; 2]);
}

/// How a closure `C` over dual numbers is called.
pub trait DualArguments<T: Scalar, const D: usize, const P: usize, C>: Send + Sync {
    /// Number of inputs.
    const INPUTS: usize;

    /// The slope; `input` makes the inputs' numbers.
    fn slope(
        closure: &C,
        t: Number<T>,
        x: [Number<T>; D],
        input: impl Fn(usize) -> Number<T>,
        theta: [Number<T>; P],
    ) -> [Number<T>; D];
}

impl<T, C: Fn(T, &[T], &mut [T])> Arguments<T, C> for NoInputs {
    fn inputs(&self) -> usize {
        0
    }

    fn slope(closure: &C, t: T, x: &[T], _u: &[T], dx: &mut [T]) {
        closure(t, x, dx);
    }
}

impl<T, C: Fn(T, &[T], &[T], &mut [T])> Arguments<T, C> for SliceInputs {
    fn inputs(&self) -> usize {
        self.0
    }

    fn slope(closure: &C, t: T, x: &[T], u: &[T], dx: &mut [T]) {
        closure(t, x, u, dx);
    }
}

impl<T, V: Fn(T, &[T], &[T], &mut [T])> PullBackArguments<T, V> for NoInputs {
    fn pull_back(closure: &V, t: T, [x, _u, v]: [&[T]; 3], [x_bar, _]: [&mut [T]; 2]) {
        closure(t, x, v, x_bar);
    }
}

impl<T, V> PullBackArguments<T, V> for SliceInputs
where
    V: Fn(T, &[T], &[T], &[T], &mut [T], &mut [T]),
{
    fn pull_back(closure: &V, t: T, [x, u, v]: [&[T]; 3], [x_bar, u_bar]: [&mut [T]; 2]) {
        closure(t, x, u, v, x_bar, u_bar);
    }
}

impl<T, const D: usize, const P: usize, C> DualArguments<T, D, P, C> for NoInputs
where
    T: Scalar,
    C: Fn(Number<T>, [Number<T>; D], [Number<T>; P]) -> [Number<T>; D],
{
    const INPUTS: usize = 0;

    #[inline]
    fn slope(
        closure: &C,
        t: Number<T>,
        x: [Number<T>; D],
        _input: impl Fn(usize) -> Number<T>,
        theta: [Number<T>; P],
    ) -> [Number<T>; D] {
        closure(t, x, theta)
    }
}

impl<T, const D: usize, const K: usize, const P: usize, C> DualArguments<T, D, P, C>
    for ArrayInputs<K>
where
    T: Scalar,
    C: Fn(Number<T>, [Number<T>; D], [Number<T>; K], [Number<T>; P]) -> [Number<T>; D],
{
    const INPUTS: usize = K;

    #[inline]
    fn slope(
        closure: &C,
        t: Number<T>,
        x: [Number<T>; D],
        input: impl Fn(usize) -> Number<T>,
        theta: [Number<T>; P],
    ) -> [Number<T>; D] {
        closure(t, x, std::array::from_fn(input), theta)
    }
}
