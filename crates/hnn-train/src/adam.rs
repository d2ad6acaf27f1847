//! Adam.

use hnn_integrators::Scalar;

use crate::error::require;
use crate::optimiser::take;
use crate::{Optimiser, TrainError};

/// How weights decay.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum WeightDecay {
    /// Not at all.
    None,
    /// `w theta` is added to the gradient before the moments: L2 with weight `w / 2`, and
    /// PyTorch's `Adam(weight_decay = w)`.
    Coupled(f64),
    /// `theta` shrinks by `rate * w` beside the update: AdamW (Loshchilov and Hutter 2019).
    Decoupled(f64),
}

/// Adam (Kingma and Ba 2015), with PyTorch's semantics: `m = b1 m + (1 - b1) g`,
/// `v = b2 v + (1 - b2) g^2`, `theta -= rate * m_hat / (sqrt(v_hat) + eps)`.
///
/// `eps` has the unit of the gradient, and so of the loss: it is meant for losses of order one before
/// training, as weights of the coordinates make them.
///
/// ```
/// use hnn_train::{Adam, Optimiser};
/// let mut adam = Adam::default();
/// adam.start(1)?;
/// let mut theta = [1.0_f64];
/// adam.step(&mut theta, &mut [0.5], 1e-3)?;
/// // The first step has the length of the rate, whatever the gradient.
/// assert!((theta[0] - 0.999).abs() < 1e-10);
/// # Ok::<(), hnn_train::TrainError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(bound = ""))]
pub struct Adam<T> {
    betas: (f64, f64),
    epsilon: f64,
    decay: WeightDecay,
    #[cfg_attr(feature = "serde", serde(skip))]
    steps: i32,
    /// First and second moment of each parameter.
    #[cfg_attr(feature = "serde", serde(skip))]
    m: Vec<T>,
    #[cfg_attr(feature = "serde", serde(skip))]
    v: Vec<T>,
}

impl<T: Scalar> Default for Adam<T> {
    /// Betas 0.9 and 0.999, epsilon 1e-8, no weight decay.
    fn default() -> Self {
        Self {
            betas: (0.9, 0.999),
            epsilon: 1e-8,
            decay: WeightDecay::None,
            steps: 0,
            m: Vec::new(),
            v: Vec::new(),
        }
    }
}

impl<T: Scalar> Adam<T> {
    /// The same with this weight decay.
    #[must_use]
    pub fn with_decay(mut self, decay: WeightDecay) -> Self {
        self.decay = decay;
        self
    }

    /// The same with these decay rates of the moments.
    #[must_use]
    pub fn with_betas(mut self, first: f64, second: f64) -> Self {
        self.betas = (first, second);
        self
    }

    /// The same with another `eps`, in the unit of the gradient.
    #[must_use]
    pub fn with_epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    fn check_length(&self, what: &'static str, given: usize) -> Result<(), TrainError> {
        let expected = self.m.len();
        if given == expected {
            return Ok(());
        }
        Err(TrainError::Length { what, given, expected })
    }
}

impl<T: Scalar> Optimiser<T> for Adam<T> {
    fn name(&self) -> &str {
        "Adam"
    }

    fn settings(&self) -> String {
        format!("betas {:?}, epsilon {}, decay {:?}", self.betas, self.epsilon, self.decay)
    }

    fn start(&mut self, num_params: usize) -> Result<(), TrainError> {
        let (b1, b2) = self.betas;
        require((0.0..1.0).contains(&b1), "Adam's first beta", b1, "in [0, 1)")?;
        require((0.0..1.0).contains(&b2), "Adam's second beta", b2, "in [0, 1)")?;
        let epsilon = self.epsilon;
        require(epsilon >= 0.0 && epsilon.is_finite(), "Adam's epsilon", epsilon, "at least 0")?;
        if let WeightDecay::Coupled(w) | WeightDecay::Decoupled(w) = self.decay {
            require(w >= 0.0 && w.is_finite(), "weight decay", w, "a number of at least 0")?;
        }
        self.steps = 0;
        for moment in [&mut self.m, &mut self.v] {
            moment.clear();
            moment.resize(num_params, T::ZERO);
        }
        Ok(())
    }

    fn step(&mut self, theta: &mut [T], gradient: &mut [T], rate: f64) -> Result<(), TrainError> {
        self.check_length("parameters", theta.len())?;
        self.check_length("derivatives", gradient.len())?;
        self.steps = self.steps.saturating_add(1);
        let (b1, b2) = self.betas;
        let c = T::from_f64;
        let (coupled, shrink) = match self.decay {
            WeightDecay::None => (T::ZERO, T::ONE),
            WeightDecay::Coupled(w) => (c(w), T::ONE),
            WeightDecay::Decoupled(w) => (T::ZERO, c(1.0 - rate * w)),
        };
        // rate * m_hat / (sqrt(v_hat) + eps), the corrections taken out of the loop.
        let correction = (1.0 - b2.powi(self.steps)).sqrt();
        let size = c(rate * correction / (1.0 - b1.powi(self.steps)));
        let epsilon = c(self.epsilon * correction);
        let (b1, b2, keep1, keep2) = (c(b1), c(b2), c(1.0 - b1), c(1.0 - b2));
        let moments = self.m.iter_mut().zip(&mut self.v);
        for ((theta, g), (m, v)) in theta.iter_mut().zip(gradient).zip(moments) {
            let g = *g + coupled * *theta;
            *m = b1 * *m + keep1 * g;
            *v = b2 * *v + keep2 * g * g;
            *theta = shrink * *theta - size * *m / (v.sqrt() + epsilon);
        }
        Ok(())
    }

    fn save_state(&self, state: &mut Vec<f64>) -> Result<(), TrainError> {
        state.push(f64::from(self.steps));
        state.extend(self.m.iter().chain(&self.v).map(|moment| moment.to_f64()));
        Ok(())
    }

    fn restore_state(&mut self, state: &mut &[f64]) -> Result<(), TrainError> {
        self.steps = take(state, 1)?[0] as i32;
        for moments in [&mut self.m, &mut self.v] {
            let saved = take(state, moments.len())?;
            moments.iter_mut().zip(saved).for_each(|(moment, saved)| *moment = T::from_f64(*saved));
        }
        Ok(())
    }
}
