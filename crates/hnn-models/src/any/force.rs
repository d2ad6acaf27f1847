//! A generalised force of any kind.

use hnn_integrators::{At, FieldError, Kept, Parameters, Scalar};

use super::AnyMap;
use super::part::{Part, any_part};
use crate::{
    Dissipative, ExternalForce, ForceBars, FrictionForce, FrictionLaw, GeneralisedForce, InputPort,
    Keep, ModelError, PartReader, PartWriter, Persist, StatePort, Sum, Unforced,
};

any_part!(AnyForce: ForceObject, "force", [
    Unforced, FrictionForce<AnyMap<T>>, Dissipative<AnyMap<T>>, FrictionLaw<T>, InputPort,
    StatePort<AnyMap<T>>, ExternalForce<AnyForce<T>>, Sum<AnyForce<T>, AnyForce<T>>
]);

/// A [`GeneralisedForce`] as an object.
trait ForceObject<T: Scalar>: Part<T> {
    fn check(&self, dim: usize, rows: usize) -> Result<(), ModelError>;

    fn inputs(&self) -> usize;

    fn add(
        &self,
        at: At<'_, T>,
        x: &[T],
        q_dot: &[T],
        force: &mut [T],
        keep: Keep<'_, T, Kept>,
    ) -> Result<(), FieldError>;

    fn add_vjp(
        &self,
        x: &[T],
        q_dot: &[T],
        residuals: &mut Kept,
        force_bar: &[T],
        bars: ForceBars<'_, T>,
    ) -> Result<(), FieldError>;
}

impl<T: Scalar, Q: GeneralisedForce<T> + Persist<T>> ForceObject<T> for Q {
    fn check(&self, dim: usize, rows: usize) -> Result<(), ModelError> {
        GeneralisedForce::check(self, dim, rows)
    }

    fn inputs(&self) -> usize {
        GeneralisedForce::inputs(self)
    }

    fn add(
        &self,
        at: At<'_, T>,
        x: &[T],
        q_dot: &[T],
        force: &mut [T],
        mut keep: Keep<'_, T, Kept>,
    ) -> Result<(), FieldError> {
        GeneralisedForce::add(self, at, x, q_dot, force, keep.part(Kept::of))
    }

    fn add_vjp(
        &self,
        x: &[T],
        q_dot: &[T],
        residuals: &mut Kept,
        force_bar: &[T],
        bars: ForceBars<'_, T>,
    ) -> Result<(), FieldError> {
        GeneralisedForce::add_vjp(self, x, q_dot, residuals.of(), force_bar, bars)
    }
}

impl<T: Scalar> GeneralisedForce<T> for AnyForce<T> {
    type Residuals = Kept;

    fn check(&self, dim: usize, rows: usize) -> Result<(), ModelError> {
        self.0.check(dim, rows)
    }

    fn inputs(&self) -> usize {
        self.0.inputs()
    }

    fn add(
        &self,
        at: At<'_, T>,
        x: &[T],
        q_dot: &[T],
        force: &mut [T],
        keep: Keep<'_, T, Kept>,
    ) -> Result<(), FieldError> {
        self.0.add(at, x, q_dot, force, keep)
    }

    fn add_vjp(
        &self,
        x: &[T],
        q_dot: &[T],
        residuals: &mut Kept,
        force_bar: &[T],
        bars: ForceBars<'_, T>,
    ) -> Result<(), FieldError> {
        self.0.add_vjp(x, q_dot, residuals, force_bar, bars)
    }
}
