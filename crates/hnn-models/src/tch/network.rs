//! What every libtorch model shares: a module, its parameters, and two ways to run it.

use std::fmt::{self, Debug};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hnn_integrators::{FieldError, Mode, Parameters, Scalar, ThetaBar};
use tch::kind::Element;
use tch::nn::{ModuleT, VarStore};
use tch::{Device, Kind, TchError, Tensor};

use super::mlp::Perceptron;
use super::{TchMlp, require_device};
use crate::{Architecture, Mlp, ModelError};

/// A libtorch module with its parameters: what every libtorch model is made of.
///
/// The module is behind a lock, since tensors may be sent to another thread but not shared.
pub struct TchNetwork<T> {
    inner: Mutex<Inner<T>>,
    dim: usize,
    num_params: usize,
    device: Device,
    /// What the native engine needs to know, if the module is a perceptron.
    architecture: Option<Architecture>,
    number: PhantomData<fn() -> T>,
}

/// The module and the tensors it shares with its store.
pub(super) struct Inner<T> {
    store: VarStore,
    /// Trainable tensors, in the order of their registration.
    params: Vec<Tensor>,
    module: Module<T>,
    /// Whether the module is in training mode.
    train: bool,
    /// What went wrong when the mode was set.
    mode_error: Option<TchError>,
}

/// A module of the library's own, or a user's.
enum Module<T> {
    Perceptron(Perceptron<T>),
    Foreign(Box<dyn ModuleT>),
}

impl<T: Scalar + Element> Module<T> {
    fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        match self {
            Self::Perceptron(perceptron) => perceptron.forward(x),
            Self::Foreign(module) => module.forward_t(x, train),
        }
    }
}

/// What a recorded evaluation keeps: the graph that libtorch built.
#[derive(Debug, Default)]
pub struct TchResiduals<T> {
    /// The states, and what was computed of them.
    pub(super) recorded: Option<(Tensor, Tensor)>,
    /// Numbers on their way from the device.
    pub(super) scratch: Vec<T>,
}

/// The first line of what libtorch says; the rest is a C++ stack trace.
pub(super) fn engine(error: TchError) -> FieldError {
    engine_reason(&error)
}

fn engine_reason(error: &TchError) -> FieldError {
    let text = error.to_string();
    FieldError::Engine { reason: text.lines().next().unwrap_or_default().to_owned() }
}

pub(super) fn failed(reason: String) -> FieldError {
    FieldError::Engine { reason }
}

impl<T: Scalar + Element> Inner<T> {
    /// The module at `x` of shape (B, D), with a gradient graph where gradients are on.
    ///
    /// `tch` panics on most of libtorch's errors (two shapes that do not fit, say): caught here.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor, FieldError> {
        if let Some(error) = &self.mode_error {
            return Err(engine_reason(error));
        }
        catch_unwind(AssertUnwindSafe(|| self.module.forward(x, self.train))).map_err(|panic| {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            let first = text.lines().next().unwrap_or_default();
            failed(format!("the module panicked at a batch of shape {:?}: {first}", x.size()))
        })
    }

    /// As [`forward`](Self::forward), one number a state: shape (B), from (B) or (B, 1).
    pub(super) fn forward_scalar(&self, x: &Tensor) -> Result<Tensor, FieldError> {
        let y = self.forward(x)?;
        let batch = x.size()[0];
        match y.size()[..] {
            [b] | [b, 1] if b == batch => y.f_reshape([batch]).map_err(engine),
            _ => Err(wrong_shape(&y, &format!("[{batch}] or [{batch}, 1]"), x)),
        }
    }
}

pub(super) fn wrong_shape(y: &Tensor, expected: &str, x: &Tensor) -> FieldError {
    let (given, states) = (y.size(), x.size());
    failed(format!(
        "the module gave shape {given:?} for states of shape {states:?}: it must give {expected}"
    ))
}

/// What becomes of the graph that a gradient is taken through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Graph {
    /// Freed: this was its last use.
    Drop,
    /// Kept for another gradient.
    Keep,
    /// Kept, and the gradient gets a graph of its own.
    Differentiate,
}

/// `d(sum of y)/dinputs`; zeros where `y` does not depend on an input.
pub(super) fn gradients(
    y: &Tensor,
    inputs: &[&Tensor],
    graph: Graph,
) -> Result<Vec<Tensor>, FieldError> {
    let zeros = || inputs.iter().map(|x| x.f_zeros_like().map_err(engine)).collect();
    if !y.requires_grad() || inputs.is_empty() {
        return zeros();
    }
    let sum = y.f_sum(None::<Kind>).map_err(engine)?;
    let found =
        Tensor::f_run_backward(&[sum], inputs, graph != Graph::Drop, graph == Graph::Differentiate);
    let found = found.map_err(engine)?.into_iter().zip(inputs);
    found.map(|(g, x)| if g.defined() { Ok(g) } else { x.f_zeros_like().map_err(engine) }).collect()
}

impl<T: Scalar + Element> TchNetwork<T> {
    /// Takes over a module and its store, whose real numbers are converted to `T`.
    pub(super) fn new(
        store: VarStore,
        dim: usize,
        module: impl ModuleT + 'static,
    ) -> Result<Self, ModelError> {
        Self::of(store, dim, Module::Foreign(Box::new(module)))
    }

    fn of(mut store: VarStore, dim: usize, module: Module<T>) -> Result<Self, ModelError> {
        let device = store.device();
        require_device(device)?;
        convert::<T>(&mut store);
        let params = store.trainable_variables();
        let num_params = params.iter().map(Tensor::numel).sum();
        let inner = Mutex::new(Inner { store, params, module, train: false, mode_error: None });
        let architecture = None;
        Ok(Self { inner, dim, num_params, device, architecture, number: PhantomData })
    }

    /// Builds a perceptron.
    pub(super) fn mlp(mlp: &TchMlp<T>, device: Device) -> Result<Self, ModelError> {
        let (store, module) = mlp.build(device)?;
        let architecture = mlp.architecture();
        let network = Self::of(store, architecture.input_dim(), Module::Perceptron(module))?;
        Ok(Self { architecture: Some(architecture.clone()), ..network })
    }

    /// The native engine's copy of this network, if it is a perceptron (dropout is no part of it).
    ///
    /// # Errors
    /// If it is none, or a weight is NaN or infinite.
    pub fn native(&self) -> Result<Mlp<T>, ModelError> {
        let architecture = self.architecture.clone().ok_or(ModelError::NotPerceptron)?;
        let mut theta = vec![T::default(); self.num_params];
        self.copy_params(&mut theta)?;
        Mlp::from_params(architecture, theta)
    }

    /// Saves the variables under their names; with the extension `safetensors` PyTorch reads them
    /// (`model.load_state_dict(safetensors.torch.load_file(path))`).
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save_variables(&self, path: impl AsRef<Path>) -> Result<(), ModelError> {
        let path = path.as_ref();
        let file = |source| ModelError::File { action: "write", path: path.to_owned(), source };
        // libtorch writes files itself, of a format that the name's ending decides: so elsewhere.
        let folder = tempfile::tempdir().map_err(file)?;
        let copy =
            folder.path().join("variables").with_extension(path.extension().unwrap_or_default());
        self.lock().store.save(&copy).map_err(engine)?;
        let bytes = std::fs::read(&copy).map_err(file)?;
        hnn_files::write_all(path, &bytes).map_err(|error| file(error.into()))
    }

    /// Loads the variables by name, of a file that [`save_variables`](Self::save_variables) or
    /// PyTorch wrote (`safetensors.torch.save_file(model.state_dict(), path)`).
    ///
    /// # Errors
    /// If the file cannot be read, or a variable is missing or of another shape.
    pub fn load_variables(&mut self, path: impl AsRef<Path>) -> Result<(), ModelError> {
        let mut inner = self.lock();
        inner.store.load(path).map_err(engine)?;
        // Loading takes over the file's kind of number.
        convert::<T>(&mut inner.store);
        Ok(())
    }

    /// Dimension of the states.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Where the network lives.
    pub fn device(&self) -> Device {
        self.device
    }

    /// All variables (buffers too) in the order of their names, shared with the module.
    pub fn named_tensors(&self) -> Vec<(String, Tensor)> {
        let mut named: Vec<_> = self.lock().store.variables().into_iter().collect();
        named.sort_by(|a, b| a.0.cmp(&b.0));
        named
    }

    /// A caught panic of the module leaves nothing half-done, so poison is of no concern.
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// States as a tensor of shape (B, D) on the device, which transposes them.
    pub(super) fn upload(&self, x: &[T], columns: usize) -> Result<Tensor, TchError> {
        let batch = x.len().checked_div(columns).unwrap_or(0);
        let lanes = Tensor::f_from_slice(x)?.f_view([columns as i64, batch as i64])?;
        lanes.f_to_device(self.device)?.f_tr()?.f_contiguous()
    }

    /// A tensor of shape (B, K) or (B) as a coordinate-major slice, transposed on its device.
    pub(super) fn download(y: &Tensor, out: &mut [T]) -> Result<(), TchError> {
        let lanes = if y.dim() == 2 { y.f_detach()?.f_tr()? } else { y.f_detach()? };
        lanes.f_contiguous()?.f_to_device(Device::Cpu)?.f_copy_data(out, out.len())
    }

    /// `y = f(network, x)`, keeping nothing; `f` is told whether to keep a graph.
    pub(super) fn eval(
        &self,
        x: &[T],
        y: &mut [T],
        f: impl FnOnce(&Inner<T>, &Tensor) -> Result<Tensor, FieldError>,
    ) -> Result<(), FieldError> {
        let inner = self.lock();
        let x = self.upload(x, self.dim).map_err(engine)?;
        let value = tch::with_grad(|| f(&inner, &x))?;
        Self::download(&value, y).map_err(engine)
    }

    /// As [`eval`](Self::eval), keeping the graph from `x` and the parameters to `y`.
    pub(super) fn eval_recorded(
        &self,
        x: &[T],
        y: &mut [T],
        residuals: &mut TchResiduals<T>,
        f: impl FnOnce(&Inner<T>, &Tensor) -> Result<Tensor, FieldError>,
    ) -> Result<(), FieldError> {
        self.record(x, y, &mut residuals.recorded, |network, x| {
            let value = f(network, x)?;
            Ok((value.shallow_clone(), value))
        })
    }

    /// As [`eval`](Self::eval), where `f` gives `y` after what it is made of, whose graph is kept.
    pub(super) fn record(
        &self,
        x: &[T],
        y: &mut [T],
        recorded: &mut Option<(Tensor, Tensor)>,
        f: impl FnOnce(&Inner<T>, &Tensor) -> Result<(Tensor, Tensor), FieldError>,
    ) -> Result<(), FieldError> {
        let inner = self.lock();
        let x = self.upload(x, self.dim).map_err(engine)?.set_requires_grad(true);
        let (kept, value) = tch::with_grad(|| f(&inner, &x))?;
        Self::download(&value, y).map_err(engine)?;
        *recorded = Some((x, kept));
        Ok(())
    }

    /// Pulls `y_bar` back through the recorded graph: overwrites `x_bar`, adds to `theta_bar`.
    pub(super) fn vjp(
        &self,
        residuals: &mut TchResiduals<T>,
        y_bar: &[T],
        x_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        self.pull_back(residuals, x_bar, theta_bar, |_, y| {
            FieldError::check_lengths(y.numel(), [("the cotangents", y_bar.len())])?;
            let columns = if y.dim() == 2 { y.size()[1] as usize } else { 1 };
            let y_bar = self.upload(y_bar, columns).map_err(engine)?;
            y.f_mul(&y_bar.f_view_as(y).map_err(engine)?).map_err(engine)
        })
    }

    /// Of `phi = f(x, y)`, summed, with the recorded states and what was recorded of them:
    /// overwrites `x_bar = dphi/dx`, adds `dphi/dtheta` to `theta_bar`.
    pub(super) fn pull_back(
        &self,
        residuals: &mut TchResiduals<T>,
        x_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
        f: impl FnOnce(&Tensor, &Tensor) -> Result<Tensor, FieldError>,
    ) -> Result<(), FieldError> {
        let Some((x, y)) = residuals.recorded.take_if(|(x, _)| x.numel() == x_bar.len()) else {
            let reason = match &residuals.recorded {
                None => "no evaluation was recorded, or it was pulled back already",
                Some(_) => "another number of states was recorded than is pulled back",
            };
            return Err(failed(reason.to_owned()));
        };
        let batch = x_bar.len() / self.dim.max(1);
        theta_bar.check(self.num_params, batch)?;
        let theta_bar = theta_bar.into_sum(batch)?;
        let inner = self.lock();
        let mut inputs = vec![&x];
        if theta_bar.is_some() {
            inputs.extend(&inner.params);
        }
        let found = tch::with_grad(|| gradients(&f(&x, &y)?, &inputs, Graph::Drop))?;
        Self::download(&found[0], x_bar).map_err(engine)?;
        if let Some(theta_bar) = theta_bar {
            let scratch = &mut residuals.scratch;
            scratch.resize(self.num_params, T::default());
            flatten(&found[1..], scratch).map_err(engine)?;
            theta_bar.iter_mut().zip(scratch).for_each(|(sum, g)| *sum += *g);
        }
        Ok(())
    }

    /// Checks slices of as many numbers as the states of a batch.
    pub(super) fn check_states<const N: usize>(
        &self,
        batch: usize,
        slices: [(&'static str, usize); N],
    ) -> Result<(), FieldError> {
        FieldError::check_lengths(self.dim * batch, slices)
    }

    /// The module at states of shape (B, D), with the graph of its derivatives where gradients are
    /// on: for what is to stay in libtorch from end to end.
    ///
    /// # Errors
    /// If the module fails.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, FieldError> {
        self.lock().forward(x)
    }

    /// The trainable tensors in the order of the flat parameter vector, shared with the module.
    pub fn tensors(&self) -> Vec<Tensor> {
        self.lock().params.iter().map(Tensor::shallow_clone).collect()
    }
}

impl<T: Scalar + Element> Parameters<T> for TchNetwork<T> {
    fn num_params(&self) -> usize {
        self.num_params
    }

    fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
        FieldError::check_parameters(out.len(), self.num_params)?;
        flatten(&self.lock().params, out).map_err(engine)
    }

    fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
        FieldError::check_parameters(theta.len(), self.num_params)?;
        if theta.is_empty() {
            return Ok(());
        }
        let flat = Tensor::f_from_slice(theta).and_then(|t| t.f_to_device(self.device));
        let flat = flat.map_err(engine)?;
        let mut inner = self.lock();
        let mut start = 0;
        tch::no_grad(|| {
            for param in &mut inner.params {
                let len = param.numel() as i64;
                let part = flat.f_narrow(0, start, len)?.f_view_as(param)?;
                param.f_copy_(&part)?;
                start += len;
            }
            Ok(())
        })
        .map_err(engine)
    }

    /// A failure shows in the next evaluation.
    fn set_mode(&mut self, mode: Mode) {
        let mut inner = self.lock();
        inner.train = mode != Mode::Evaluation;
        if let Module::Perceptron(perceptron) = &mut inner.module {
            inner.mode_error = perceptron.set_mode(mode).err();
        }
    }
}

/// Makes a store's real numbers `T`s; counters and masks stay what they are.
fn convert<T: Scalar + Element>(store: &mut VarStore) {
    if T::KIND == Kind::Double { store.double() } else { store.float() }
}

/// The tensors' numbers one after another, with one transfer.
pub(super) fn flatten<T: Scalar + Element>(
    tensors: &[Tensor],
    out: &mut [T],
) -> Result<(), TchError> {
    if tensors.is_empty() {
        return Ok(());
    }
    let parts: Result<Vec<_>, _> = tensors.iter().map(|t| t.f_detach()?.f_reshape([-1])).collect();
    Tensor::f_cat(&parts?, 0)?.f_to_device(Device::Cpu)?.f_copy_data(out, out.len())
}

impl<T> Debug for TchNetwork<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TchNetwork")
            .field("dim", &self.dim)
            .field("num_params", &self.num_params)
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}
