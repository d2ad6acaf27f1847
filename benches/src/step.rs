//! One training step, timed.

use std::hint::black_box;

use hnn_integrators::DifferentiableField;
use hnn_losses::{Loss, Selection};
use hnn_train::{Adam, Optimiser};

use crate::{Clock, Error, median};

/// A training step that can be run again and again, and the times it took.
pub trait TimedStep {
    /// Runs one step; `counted` says whether its time is kept.
    ///
    /// # Errors
    /// If the loss fails.
    fn run(&mut self, counted: bool) -> Result<(), Error>;

    /// Median of the times kept, in seconds; NaN if there are none.
    fn median(&mut self) -> f64;
}

/// A full-batch step of a model with Adam at the rate 1e-3.
pub struct Step<F, L> {
    model: F,
    loss: L,
    optimiser: Adam<f32>,
    theta: Vec<f32>,
    gradient: Vec<f32>,
    seconds: Vec<f64>,
}

impl<F: DifferentiableField<f32>, L: Loss<f32, F>> Step<F, L> {
    /// A step of this model, loss and optimiser.
    ///
    /// # Errors
    /// If a setting of the optimiser makes no sense.
    pub fn new(model: F, loss: L, mut optimiser: Adam<f32>) -> Result<Self, Error> {
        let mut theta = vec![0.0; model.num_params()];
        model.copy_params(&mut theta)?;
        optimiser.start(theta.len())?;
        let gradient = theta.clone();
        Ok(Self { model, loss, optimiser, theta, gradient, seconds: Vec::new() })
    }
}

impl<F: DifferentiableField<f32>, L: Loss<f32, F>> TimedStep for Step<F, L> {
    fn run(&mut self, counted: bool) -> Result<(), Error> {
        let clock = Clock::start();
        self.gradient.fill(0.0);
        let (all, gradient) = (Selection::All, &mut self.gradient);
        black_box(self.loss.value_and_gradient(&self.model, all, 1.0, gradient)?);
        self.optimiser.step(&mut self.theta, &mut self.gradient, 1e-3)?;
        self.model.set_params(&self.theta)?;
        if counted {
            self.seconds.push(clock.seconds());
        }
        Ok(())
    }

    fn median(&mut self) -> f64 {
        median(&mut self.seconds)
    }
}

/// A step and its name in the table.
pub type NamedStep = (&'static str, Box<dyn TimedStep>);

/// Runs steps in alternating rounds, so that a busy machine slows all alike; the first round warms
/// up. Prints the medians, and their ratios to the first step's.
///
/// # Errors
/// If a step fails.
pub fn compare(rounds: usize, steps: &mut [NamedStep]) -> Result<(), Error> {
    for round in 0..=rounds {
        for (_, step) in &mut *steps {
            step.run(round > 0)?;
        }
    }
    println!("one training step, median of {rounds} rounds, ms:");
    let base = steps.first_mut().map_or(f64::NAN, |(_, step)| step.median());
    for (name, step) in steps {
        let median = step.median();
        println!("  {name:42} {:8.3}  {:5.2} x", 1e3 * median, median / base);
    }
    Ok(())
}
