//! Least squares: Levenberg-Marquardt, noise and prior by evidence, the posterior.

mod arrow;
mod bands;
mod damping;
mod dual;
mod equations;
mod estimates;
mod evidence;
mod fit;
mod linear;
mod locals;
mod matrix_free;
mod normal;
mod posterior;
mod rows;
mod sandwich;
mod settings;
mod size;
mod trials;

use hnn_integrators::{Mode, Parameters, Scalar, compiled_here};
use hnn_losses::Loss;
use ndarray::Array1;

pub use evidence::{Evidence, TermEvidence};
pub use posterior::Posterior;
pub use settings::{EvidenceRule, Form, Scaling, StopTolerances};

use self::fit::Fit;
use self::linear::{Linear, Weights};
use self::normal::Normal;
use self::rows::{Buffer, Rows};
use crate::error::require;
use crate::fitting::{Fitted, Fitting};
use crate::{Checkpoint, EarlyStopping, Observer, TrainError, TrainingRecord};

/// Bytes of rows that are read at a time, unless one group has more.
const ROWS_BYTES: usize = 64 << 20;

/// Fits a model's parameters to a loss that is a sum of squares, `L = |r|^2 + prior |theta|^2`, by the
/// method of Levenberg (1944) and Marquardt (1963).
///
/// A step `s` minimises the linearised `|r + J s|^2 + prior |theta + s|^2`, kept short:
/// `(J^T J + prior + lambda D) s = -(J^T r + prior theta)`. It is accepted if the loss falls, and
/// `lambda` falls by much then, and else grows by little (delayed gratification, Transtrum and Sethna
/// 2012, arXiv:1201.5885). Where the residuals can be made small this takes tens of
/// steps where first-order methods take tens of thousands. Locals of the loss (fitted starts) are
/// unknowns too, at little cost.
///
/// ```
/// use hnn_integrators::Parameters;
/// use hnn_losses::{Loss, LossError, ResidualLayout, ResidualRows, RowSelection};
/// use hnn_train::LeastSquares;
/// # use hnn_integrators::FieldError;
/// /// Two numbers.
/// struct Point([f64; 2]);
/// # impl Parameters<f64> for Point {
/// #     fn num_params(&self) -> usize { 2 }
/// #     fn copy_params(&self, out: &mut [f64]) -> Result<(), FieldError> {
/// #         out.copy_from_slice(&self.0);
/// #         Ok(())
/// #     }
/// #     fn set_params(&mut self, theta: &[f64]) -> Result<(), FieldError> {
/// #         self.0.copy_from_slice(theta);
/// #         Ok(())
/// #     }
/// # }
/// /// Rosenbrock's function: residuals `10 (y - x^2)` and `1 - x`.
/// struct Rosenbrock;
/// impl Loss<f64, Point> for Rosenbrock {
///     fn name(&self) -> &str {
///         "Rosenbrock"
///     }
///     fn value(&mut self, at: &Point, _: RowSelection<'_>) -> Result<f64, LossError> {
///         let [x, y] = at.0;
///         Ok(100.0 * (y - x * x).powi(2) + (1.0 - x).powi(2))
///     }
///     fn residual_layout(
///         &mut self,
///         _: &Point,
///         _: RowSelection<'_>,
///     ) -> Result<ResidualLayout, LossError> {
///         let mut layout = ResidualLayout::default();
///         let term = layout.add_term("Rosenbrock");
///         layout.push_group([(term, 2)], 0);
///         Ok(layout)
///     }
///     fn residuals(
///         &mut self,
///         at: &Point,
///         _: std::ops::Range<usize>,
///         rows: ResidualRows<'_, f64>,
///     ) -> Result<(), LossError> {
///         let [x, y] = at.0;
///         rows.values.copy_from_slice(&[10.0 * (y - x * x), 1.0 - x]);
///         if let Some(jacobian) = rows.jacobian {
///             jacobian.by_theta.copy_from_slice(&[-20.0 * x, 10.0, -1.0, 0.0]);
///         }
///         Ok(())
///     }
/// #   fn value_and_gradient(
/// #       &mut self, _: &Point, _: RowSelection<'_>, _: f64, _: &mut [f64],
/// #   ) -> Result<f64, LossError> {
/// #       Err(LossError::NoSteps)
/// #   }
/// }
/// let mut point = Point([-1.2, 1.0]);
/// let record = LeastSquares::new(50).fit(&mut point, &mut Rosenbrock, None, &mut ())?;
/// assert!(record.final_loss() < 1e-20 && record.stopped_early());
/// assert!((point.0[0] - 1.0).abs() < 1e-9 && (point.0[1] - 1.0).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LeastSquares {
    steps: usize,
    tolerances: StopTolerances,
    damping: f64,
    scaling: Scaling,
    form: Option<Form>,
    evidence: Option<EvidenceRule>,
    stopping: Option<EarlyStopping>,
    checkpoint: Option<Checkpoint>,
}

impl LeastSquares {
    /// At most `steps` accepted steps. A first damping of 1e-3 times the largest entry of the diagonal
    /// of `J^T J`, for all parameters alike; the form of the equations by their size.
    #[must_use]
    pub fn new(steps: usize) -> Self {
        Self {
            steps,
            tolerances: StopTolerances::default(),
            damping: 1e-3,
            scaling: Scaling::default(),
            form: None,
            evidence: None,
            stopping: None,
            checkpoint: None,
        }
    }

    /// The same with other tolerances.
    #[must_use]
    pub fn with_tolerances(mut self, tolerances: StopTolerances) -> Self {
        self.tolerances = tolerances;
        self
    }

    /// The same with another first damping: small where the start is good, near 1 where it is bad.
    #[must_use]
    pub fn with_damping(mut self, damping: f64) -> Self {
        self.damping = damping;
        self
    }

    /// The same with steps kept short in another measure.
    #[must_use]
    pub fn with_scaling(mut self, scaling: Scaling) -> Self {
        self.scaling = scaling;
        self
    }

    /// The same with this form of the equations.
    #[must_use]
    pub fn with_form(mut self, form: Form) -> Self {
        self.form = Some(form);
        self
    }

    /// The same with the prior and the noise of each term estimated on the way, which replace the
    /// loss's own prior and weights: see [`Evidence`].
    #[must_use]
    pub fn with_evidence(mut self, rule: EvidenceRule) -> Self {
        self.evidence = Some(rule);
        self
    }

    /// The same with early stopping. Needs a validation loss.
    #[must_use]
    pub fn with_early_stopping(mut self, stopping: EarlyStopping) -> Self {
        self.stopping = Some(stopping);
        self
    }

    /// The same with its state saved on the way, so that a run that was interrupted goes on.
    #[must_use]
    pub fn with_checkpoint(mut self, checkpoint: Checkpoint) -> Self {
        self.checkpoint = Some(checkpoint);
        self
    }

    /// Fits `model`, in evaluation mode (no dropout); with a validation loss, it ends with the
    /// parameters that were best by it, as in [`Trainer::fit`](crate::Trainer::fit).
    ///
    /// A step of the record is an accepted one, its rate the damping, its loss that after it; the
    /// last one, where the run converged, may not have moved. Trials at which the loss fails or is not
    /// finite are rejected.
    ///
    /// # Errors
    /// If a setting makes no sense, the loss is no sum of squares or fails, it is not finite at the
    /// start or its rows later on, the equations take too much memory, or a checkpoint cannot be
    /// written or resumed. The model then has the best parameters found.
    pub fn fit<T: Scalar, F: Parameters<T>>(
        &self,
        model: &mut F,
        loss: &mut dyn Loss<T, F>,
        validation: Option<&mut dyn Loss<T, F>>,
        observer: &mut dyn Observer,
    ) -> Result<TrainingRecord, TrainError> {
        type Run<T> = fn(
            &LeastSquares,
            &mut dyn Fitting<T>,
            &mut dyn Observer,
        ) -> Result<TrainingRecord, TrainError>;
        self.check()?;
        model.set_mode(Mode::Evaluation);
        let run = compiled_here!(T => Run<T>, |settings, problem, observer| {
            Fit::new(settings, problem, observer)?.run()
        });
        run(self, &mut Fitted { model, loss, validation }, observer)
    }

    /// What the data say about the parameters, at those that the model has.
    ///
    /// With the evidence of a fit, noise and prior are its; without, the prior is the loss's, and all
    /// residuals have one variance, which they give themselves.
    ///
    /// # Errors
    /// If the loss fails, the equations take too much memory, or the data leave a combination of
    /// parameters undetermined.
    pub fn posterior<T: Scalar, F: Parameters<T>>(
        &self,
        model: &mut F,
        loss: &mut dyn Loss<T, F>,
        evidence: Option<&Evidence>,
    ) -> Result<Posterior, TrainError> {
        type Read<T> = fn(&mut dyn Fitting<T>, Option<&Evidence>) -> Result<Posterior, TrainError>;
        let read = compiled_here!(T => Read<T>, |problem, evidence| {
            LeastSquares::read(problem, evidence, |normal, rows, mean| {
                let square = rows.buffer.squares().iter().sum();
                Posterior::new(normal, rows.layout, rows.weights, square, mean)
            })
        });
        read(&mut Fitted { model, loss, validation: None }, evidence)
    }

    /// Standard errors of the parameters, at those that the model has, which stay honest where
    /// neighbouring residuals hang together: noise that lasts for several rows, a quantised channel, a
    /// model that misses something. [`Posterior::standard_errors`] take every residual for new evidence,
    /// and are then too small.
    ///
    /// Only the groups of the loss's [layout](hnn_losses::ResidualLayout) are taken for independent: the
    /// windows of a loss of trajectories, blocks of consecutive rows of the others. The covariance is
    /// `H^-1 (sum over groups of g g^T) H^-1`, with `g = J^T r` of a group, times `G / (G - P)` for `G`
    /// groups and `P` parameters (the sandwich of Huber 1967 and White 1980). Groups should outlast the
    /// correlations, and be several times as many as the parameters.
    ///
    /// # Errors
    /// As [`posterior`](Self::posterior), and if there are not more groups than parameters.
    pub fn robust_errors<T: Scalar, F: Parameters<T>>(
        &self,
        model: &mut F,
        loss: &mut dyn Loss<T, F>,
    ) -> Result<Array1<f64>, TrainError> {
        let read = compiled_here!(
            T => fn(&mut dyn Fitting<T>) -> Result<Array1<f64>, TrainError>,
            |problem| LeastSquares::read(problem, None, |normal, rows, mean| {
                sandwich::errors(normal, rows, &mean)
            })
        );
        read(&mut Fitted { model, loss, validation: None })
    }

    /// The normal equations at the parameters of a model, and what is made of them.
    fn read<T: Scalar, R>(
        problem: &mut dyn Fitting<T>,
        evidence: Option<&Evidence>,
        then: impl FnOnce(Normal, &mut Rows<'_, T>, Vec<f64>) -> Result<R, TrainError>,
    ) -> Result<R, TrainError> {
        let model = problem.model();
        model.set_mode(Mode::Evaluation);
        let num_params = model.num_params();
        let mut theta = vec![T::ZERO; num_params];
        model.copy_params(&mut theta)?;
        let failed = |source| TrainError::Loss { step: 0, source };
        let layout = problem.residual_layout().map_err(failed)?;
        let weights = evidence.map_or(Weights::plain(layout.prior), Evidence::weights);
        let (given, terms) = (weights.of_terms.len(), layout.terms().len());
        let fits = evidence.is_none() || given == terms;
        require(fits, "the number of terms of the evidence", given, "that of the loss's terms")?;
        size::check_normal(num_params, &layout, true)?;
        size::check_groups(num_params, &layout, size_of::<T>())?;
        let (mut normal, mut linear) = (Normal::default(), Linear::default());
        let mut buffer = Buffer::new(ROWS_BYTES);
        let (layout, weights) = (&layout, &weights);
        let mut rows = Rows { problem, layout, weights, num_params, buffer: &mut buffer };
        linear.resize(num_params, layout.num_locals());
        normal.linearise(&mut rows, &mut linear).map_err(failed)?;
        then(normal, &mut rows, theta.iter().map(|w| w.to_f64()).collect())
    }

    fn check(&self) -> Result<(), TrainError> {
        self.tolerances.check()?;
        let sensible = self.damping > 0.0 && self.damping.is_finite();
        require(sensible, "the first damping", self.damping, "a positive number, such as 1e-3")?;
        self.evidence.as_ref().map_or(Ok(()), EvidenceRule::check)
    }

    /// What a run must have in common with the one it resumes, by name.
    fn settings<T: Scalar>(&self, num_params: usize) -> Vec<(String, String)> {
        let named = |name: &str, value: String| (name.to_owned(), value);
        vec![
            named("optimiser", "least squares".to_owned()),
            named("scalar type", T::NAME.to_owned()),
            named("number of parameters", num_params.to_string()),
            named("number of steps", self.steps.to_string()),
            named("tolerances", format!("{:?}", self.tolerances)),
            named("first damping", self.damping.to_string()),
            named("scaling", format!("{:?}", self.scaling)),
            named("form", format!("{:?}", self.form)),
            named("evidence", format!("{:?}", self.evidence)),
            named("early stopping", format!("{:?}", self.stopping)),
        ]
    }
}
