//! A model in the hands of a C program.

use std::path::Path;
use std::sync::{Mutex, TryLockError};

use hnn_integrators::{At, FieldError, Scalar, VectorField, Workspace};
use hnn_models::{AnyModel, Persist};

use crate::raw::Array;
use crate::status::{Failure, Status};

/// States that are evaluated at a time.
const BLOCK: usize = 256;

/// A model, and the memory that its evaluations use: `hnn_model` and `hnnf_model` of the header.
#[derive(Debug)]
pub struct Handle<T: Scalar> {
    model: AnyModel<T>,
    scratch: Mutex<Scratch<T>>,
}

/// A block of a batch, coordinate-major.
#[derive(Debug, Default)]
struct Scratch<T> {
    times: Vec<T>,
    x: Vec<T>,
    u: Vec<T>,
    out: Vec<T>,
    workspace: Workspace<T>,
}

/// What is evaluated: at times and inputs, of states, into results.
type Evaluation<'a, T> =
    &'a dyn Fn(At<'_, T>, &[T], &mut [T], &mut Workspace<T>) -> Result<(), FieldError>;

impl<T: Scalar> Handle<T> {
    fn of(model: AnyModel<T>) -> Self {
        Self { model, scratch: Mutex::default() }
    }

    pub(crate) fn load(path: &Path) -> Result<Self, Failure> {
        let model = AnyModel::load(path).map_err(|e| Failure::new(Status::File, e))?;
        Ok(Self::of(model))
    }

    pub(crate) fn share(&self) -> Self {
        Self::of(self.model.clone())
    }

    pub(crate) fn dim(&self) -> usize {
        self.model.dim()
    }

    pub(crate) fn inputs(&self) -> usize {
        self.model.inputs()
    }

    pub(crate) fn has_energy(&self) -> bool {
        self.model.hamiltonian().is_some()
    }

    pub(crate) fn field(
        &self,
        x: &Array<*const T>,
        u: &Array<*const T>,
        dx: &Array<*mut T>,
    ) -> Result<(), Failure> {
        self.check(u, self.inputs(), x)?;
        self.check(dx, self.dim(), x)?;
        self.evaluate(x, Some(u), dx, &|at, x, dx, workspace| self.model.eval(at, x, dx, workspace))
    }

    pub(crate) fn energy(
        &self,
        x: &Array<*const T>,
        energy: &Array<*mut T>,
    ) -> Result<(), Failure> {
        let h = self.model.hamiltonian().ok_or_else(Self::no_energy)?;
        self.check(energy, 1, x)?;
        self.evaluate(x, None, energy, &|_, x, energy, workspace| h.energy(x, energy, workspace))
    }

    pub(crate) fn energy_gradient(
        &self,
        x: &Array<*const T>,
        gradient: &Array<*mut T>,
    ) -> Result<(), Failure> {
        let h = self.model.hamiltonian().ok_or_else(Self::no_energy)?;
        self.check(gradient, self.dim(), x)?;
        self.evaluate(x, None, gradient, &|at, x, gradient, workspace| {
            h.energy_gradient(at.batch(), x, gradient, workspace)
        })
    }

    fn no_energy() -> Failure {
        Failure::new(
            Status::NoEnergy,
            "the model is a baseline, which has no energy: ask for its field",
        )
    }

    /// Checks the length of an array of `width` numbers for each state of `x`.
    fn check<P>(&self, array: &Array<P>, width: usize, x: &Array<*const T>) -> Result<(), Failure> {
        let (dim, batch) = (self.dim(), x.len() / self.dim());
        if x.len() != batch * dim {
            let reason = format!(
                "`x_len` is {}, no multiple of the {dim} numbers of a state: pass whole states",
                x.len()
            );
            return Err(Failure::new(Status::Length, reason));
        }
        let (name, given, expected) = (array.name(), array.len(), width.saturating_mul(batch));
        if given == expected {
            return Ok(());
        }
        let reason = format!(
            "`{name}_len` is {given}, but {expected} numbers are needed: {width} for each of {batch} states"
        );
        Err(Failure::new(Status::Length, reason))
    }

    /// Block by block, between rows of the caller's and columns of the model's.
    fn evaluate(
        &self,
        x: &Array<*const T>,
        u: Option<&Array<*const T>>,
        out: &Array<*mut T>,
        evaluation: Evaluation<'_, T>,
    ) -> Result<(), Failure> {
        let mut scratch = match self.scratch.try_lock() {
            Ok(scratch) => scratch,
            Err(TryLockError::Poisoned(scratch)) => scratch.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let reason = "another thread is in a call with this handle: give each thread its own, by hnn_share or hnnf_share";
                return Err(Failure::new(Status::Busy, reason));
            }
        };
        let Scratch { times, x: columns, u: inputs, out: results, workspace } = &mut *scratch;
        let batch = x.len() / self.dim();
        let width = out.len() / batch.max(1);
        for first in (0..batch).step_by(BLOCK) {
            let rows = first..batch.min(first + BLOCK);
            times.resize(rows.len(), T::ZERO);
            read(x, self.dim(), rows.clone(), columns);
            inputs.clear();
            if let Some(u) = u {
                read(u, self.inputs(), rows.clone(), inputs);
            }
            results.resize(width * rows.len(), T::ZERO);
            evaluation(At { t: times, u: inputs }, columns, results, workspace)
                .map_err(|e| Failure::new(Status::Evaluation, e))?;
            let count = rows.len();
            out.with(rows.start * width..rows.end * width, |out| {
                for (row, out) in out.chunks_exact_mut(width).enumerate() {
                    out.iter_mut().enumerate().for_each(|(i, y)| *y = results[i * count + row]);
                }
            });
        }
        Ok(())
    }
}

/// Copies rows of `width` numbers into columns.
fn read<T: Scalar>(
    from: &Array<*const T>,
    width: usize,
    rows: std::ops::Range<usize>,
    columns: &mut Vec<T>,
) {
    let count = rows.len();
    columns.resize(width * count, T::ZERO);
    from.with(rows.start * width..rows.end * width, |from| {
        for (row, from) in from.chunks_exact(width.max(1)).enumerate() {
            from.iter().enumerate().for_each(|(i, x)| columns[i * count + row] = *x);
        }
    });
}
