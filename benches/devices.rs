//! One training step of an HNN (2-200-200-1, tanh, derivative loss, Adam) at large batches, on all
//! cores by either engine and, by libtorch, on the device that `HNN_DEVICE` names; and how far the
//! gradients are from the native engine's in `f64`. Libtorch's must not be further than 1e-9 in `f64`.
//!
//! `HNN_DEVICE=cuda scripts/with-libtorch cargo bench -p hnn-benches --features tch --bench devices`;
//! `scripts/gpu-check` runs it on a machine with CUDA.
#![allow(clippy::print_stdout)]

use std::hint::black_box;

use hnn_benches::{Clock, Error, Options, announce, median};
use hnn_integrators::{DifferentiableField, Parameters, Scalar};
use hnn_losses::{DerivativeLoss, Loss, Selection};
use hnn_models::tch::tch::kind::Element;
use hnn_models::tch::tch::{self, Device};
use hnn_models::tch::{TchEnergy, parse_device};
use hnn_models::{Architecture, DifferentiableEnergy, Hnn, Initialisation, Mlp};
use hnn_train::{Adam, Optimiser};
use ndarray::{Array1, Array2};

/// Relative difference that two engines' gradients may have in `f64`.
const TOLERANCE: f64 = 1e-9;

fn main() -> Result<(), Error> {
    let device = parse_device(&std::env::var("HNN_DEVICE").unwrap_or_else(|_| "cpu".to_owned()))?;
    let options = Options::from_args();
    announce();
    let threads = [rayon::current_num_threads(), tch::get_num_threads() as usize];
    println!("threads: native engine {}, libtorch {}", threads[0], threads[1]);
    println!(
        "| batch | number | engine | ms a step | native / this | difference of the gradient |"
    );
    println!("|---|---|---|---|---|---|");
    let batches: &[usize] = options.pick(&[100_000, 1_000_000], &[2_000]);
    for &batch in batches {
        let contest = Contest { batch, rounds: if batch > 100_000 { 3 } else { 7 }, device };
        let exact = contest.run::<f64>(None)?;
        contest.run::<f32>(Some(&exact))?;
    }
    Ok(())
}

/// The engines in turn at one size of a batch.
struct Contest {
    batch: usize,
    rounds: usize,
    device: Device,
}

impl Contest {
    /// Prints a row an engine; gives the native engine's gradient. Differences are from `exact`, or
    /// from that gradient.
    fn run<T: Scalar + Element>(&self, exact: Option<&[f64]>) -> Result<Vec<f64>, Error> {
        let architecture = Architecture::new(&[2, 200, 200, 1])?;
        let network = Mlp::<T>::new(architecture, Initialisation::Orthogonal, 0);
        let (gradient, native) = self.measure(network.clone())?;
        let exact = exact.unwrap_or(&gradient);
        self.print::<T>("native", native, native, difference(&gradient, exact));
        let mut devices = vec![Device::Cpu];
        devices.extend((self.device != Device::Cpu).then_some(self.device));
        for device in devices {
            let (gradient, seconds) = self.measure(TchEnergy::mlp(network.clone(), device)?)?;
            let difference = difference(&gradient, exact);
            self.print::<T>(&format!("libtorch, {device:?}"), seconds, native, difference);
            if T::NAME == "f64" && difference > TOLERANCE {
                return Err(
                    format!("on {device:?} the gradient is further than {TOLERANCE}").into()
                );
            }
        }
        Ok(gradient)
    }

    fn print<T: Scalar>(&self, engine: &str, seconds: f64, native: f64, difference: f64) {
        let (batch, number) = (self.batch, T::NAME);
        let (ms, ratio) = (1e3 * seconds, native / seconds);
        println!("| {batch} | {number} | {engine} | {ms:.1} | {ratio:.2} | {difference:.1e} |");
    }

    /// The gradient of the first step, and the median of the later steps' times in seconds. A step
    /// ends with its gradient in the memory of the CPU, so no work of a device is left out.
    fn measure<T: Scalar>(
        &self,
        energy: impl DifferentiableEnergy<T>,
    ) -> Result<(Vec<f64>, f64), Error> {
        let mut model = Hnn::new(energy)?;
        let mut loss = springs(self.batch)?;
        let mut theta = vec![T::ZERO; model.num_params()];
        model.copy_params(&mut theta)?;
        let mut gradient = theta.clone();
        let mut optimiser = Adam::default();
        optimiser.start(theta.len())?;
        let (mut first, mut seconds) = (Vec::new(), Vec::new());
        for round in 0..=self.rounds {
            let clock = Clock::start();
            gradient.fill(T::ZERO);
            black_box(loss.value_and_gradient(&model, Selection::All, 1.0, &mut gradient)?);
            if round == 0 {
                first = gradient.iter().map(|g| g.to_f64()).collect();
            }
            optimiser.step(&mut theta, &mut gradient, 1e-3)?;
            model.set_params(&theta)?;
            if round > 0 {
                seconds.push(clock.wall_seconds());
            }
        }
        Ok((first, median(&mut seconds)))
    }
}

/// The derivative loss of a spring's states, spread evenly over a square by two additive sequences.
fn springs<T: Scalar>(count: usize) -> Result<DerivativeLoss<T>, Error> {
    let spread = |k: usize, ratio: f64| 2.0 * (k as f64 * ratio).fract() - 1.0;
    let state = |k| [spread(k, 0.754_877_666_246_693), spread(k, 0.569_840_290_998_053)];
    let x = Array2::from_shape_fn((count, 2), |(k, i)| T::from_f64(state(k)[i]));
    let dx = Array2::from_shape_fn((count, 2), |(k, i)| {
        let [q, p] = state(k);
        T::from_f64([p, -q][i])
    });
    Ok(DerivativeLoss::new(Array1::zeros(count).view(), x.view(), dx.view())?)
}

/// `max |a - b| / max |b|`; infinite if a number is not finite.
fn difference(a: &[f64], b: &[f64]) -> f64 {
    if !a.iter().chain(b).all(|x| x.is_finite()) {
        return f64::INFINITY;
    }
    let scale = b.iter().map(|b| b.abs()).fold(0.0, f64::max);
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / scale
}
