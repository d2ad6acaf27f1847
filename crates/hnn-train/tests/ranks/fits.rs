//! Losses and fits of rows that are shared out among ranks, as numbers to be compared.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use hnn_data::{DataSet, Recording, Share, Trajectory};
use hnn_integrators::{Parameters, RK4};
use hnn_losses::{
    DerivativeLoss, Distributed, JointLoss, L2Penalty, Loss, Ranks, RowSelection, TotalLoss,
    TrajectoryLoss, Window,
};
use hnn_models::{Architecture, Hnn, Initialisation, Mlp};
use hnn_systems::{Pendulum, Sampling};
use hnn_train::{
    Checkpoint, EarlyStopping, EvidenceRule, Form, LeastSquares, MiniBatch, Trainer, TrainingRecord,
};
use ndarray::s;

pub(crate) type Model = Hnn<Mlp<f64>>;
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

pub(crate) fn model() -> Result<Model> {
    let layers = Architecture::new(&[2, 6, 1])?;
    Ok(Hnn::new(Mlp::new(layers, Initialisation::Orthogonal, 3))?)
}

/// Seven trajectories of different lengths: shares of two and three ranks are not equal.
pub(crate) fn data() -> Result<DataSet<f64>> {
    let sampling = Sampling { trajectories: 7, points: 12, ..Sampling::pendulum() };
    let data = sampling.sample(&Pendulum::default(), 5)?;
    let cut = data.iter().enumerate().map(|(k, one)| {
        let [states, derivatives] =
            [one.states, one.derivatives].map(|x| x.slice(s![..12 - k, ..]).to_owned());
        Trajectory::new(one.times[..12 - k].to_vec(), states, derivatives)
    });
    Ok(DataSet::new(cut)?)
}

/// The ranks, or none: then all is in one process, and no loss knows of any.
pub(crate) type Team<'a> = Option<&'a Arc<dyn Ranks>>;

/// The loss of this rank's trajectories, of all ranks.
fn shared<L: Loss<f64, Model> + 'static>(
    ranks: Team<'_>,
    make: impl Fn(&DataSet<f64>) -> Result<L>,
) -> Result<Box<dyn Loss<f64, Model>>> {
    let data = data()?;
    let Some(ranks) = ranks else { return Ok(Box::new(make(&data)?)) };
    let own = make(&share_of_a_file(&data, Share::new(ranks.rank(), ranks.count())?)?)?;
    Ok(Box::new(Distributed::new(own, ranks)))
}

/// These trajectories, written to one file, of which a rank reads its own.
fn share_of_a_file(data: &DataSet<f64>, share: Share) -> Result<DataSet<f64>> {
    let mut text = String::from("trial,t,q,p,dq,dp\n");
    for (trial, rows) in data.iter().enumerate() {
        for (k, t) in rows.times.iter().enumerate() {
            let (x, dx) = (rows.states.row(k), rows.derivatives.row(k));
            writeln!(text, "{trial},{t},{},{},{},{}", x[0], x[1], dx[0], dx[1])?;
        }
    }
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("trials.csv");
    std::fs::write(&path, text)?;
    let reader = Recording::read(&path).trial("trial").time("t").position("q").momentum("p");
    Ok(reader.derivative("dq").derivative("dp").load_share(share)?.data_set()?)
}

fn derivative(data: &DataSet<f64>) -> Result<DerivativeLoss<f64>> {
    Ok(DerivativeLoss::from_data(data)?)
}

fn one_step(data: &DataSet<f64>) -> Result<TrajectoryLoss<f64, RK4Method>> {
    Ok(TrajectoryLoss::new(RK4, Window::Steps(3), data)?)
}

type RK4Method = hnn_integrators::Tableau;

fn total(data: &DataSet<f64>) -> Result<TotalLoss<f64, Model>> {
    let sum = TotalLoss::new(derivative(data)?).plus(10.0, one_step(data)?)?;
    Ok(sum.plus(1e-3, L2Penalty::new())?)
}

fn fitted_starts(data: &DataSet<f64>) -> Result<TrajectoryLoss<f64, RK4Method>> {
    Ok(one_step(data)?.with_fitted_starts(0.1)?)
}

/// Values, terms and gradients of losses, of all rows and of some.
pub(crate) fn losses(ranks: Team<'_>) -> Result<Vec<f64>> {
    let joint = |data: &_| Ok(JointLoss::new(derivative(data)?, 2.0, one_step(data)?)?);
    let model = model()?;
    let mut numbers = Vec::new();
    // The last two batches leave ranks without a row, or without a window.
    for rows in [None, Some(vec![0, 3, 20, 50, 51]), Some(vec![1]), Some(vec![61, 62])] {
        let selection = rows.as_ref().map_or(RowSelection::All, |rows| RowSelection::Rows(rows));
        for mut loss in [
            shared(ranks, derivative)?,
            shared(ranks, one_step)?,
            shared(ranks, joint)?,
            shared(ranks, total)?,
            shared(ranks, fitted_starts)?,
        ] {
            let mut gradient = vec![0.0; model.num_params()];
            numbers.push(loss.value(&model, selection)?);
            numbers.push(loss.value_and_gradient(&model, selection, 0.7, &mut gradient)?);
            numbers.extend(loss.terms().iter().map(|(_, value)| *value));
            numbers.extend(loss.constant_values().iter().map(|(_, value)| *value));
            numbers.extend(gradient);
        }
    }
    Ok(numbers)
}

fn numbers_of(record: &TrainingRecord, model: &Model) -> Result<Vec<f64>> {
    let mut numbers = vec![0.0; model.num_params()];
    model.copy_params(&mut numbers)?;
    for step in &record.steps {
        numbers.extend([step.loss, step.gradient_norm, step.validation.unwrap_or(0.0)]);
        numbers.extend(step.terms.iter().map(|(_, value)| *value));
    }
    Ok(numbers)
}

/// A run of a trainer with batches, early stopping and fitted starts, saved and resumed where there is a file.
pub(crate) fn training(ranks: Team<'_>, steps: usize, file: Option<&Path>) -> Result<Vec<f64>> {
    let (mut model, data) = (model()?, data()?);
    let mut loss = shared(ranks, fitted_starts)?;
    let mut validation = shared(ranks, derivative)?;
    let batches = MiniBatch::trajectories(data.lengths(), 3, 1)?;
    let mut trainer = Trainer::new(20)
        .with_minibatch(batches)
        .with_early_stopping(EarlyStopping { every: 4, ..EarlyStopping::default() });
    if let Some(file) = file {
        trainer =
            trainer.with_checkpoint(Checkpoint::new(file).with_step_interval(5).with_resume(true));
    }
    let mut observer = |progress: &hnn_train::Progress<'_>| match progress.record.step + 1 {
        done if done == steps => hnn_train::Control::Stop,
        _ => hnn_train::Control::Continue,
    };
    let record = trainer.fit(&mut model, &mut *loss, Some(&mut *validation), &mut observer)?;
    numbers_of(&record, &model)
}

/// A fit by least squares, and one by evidence with its errors.
pub(crate) fn least_squares(ranks: Team<'_>) -> Result<Vec<f64>> {
    let mut numbers = damped(ranks, Form::Normal, 1e-3)?;
    let (mut model, mut loss) = (model()?, shared(ranks, total)?);
    let solver = LeastSquares::new(3).with_evidence(EvidenceRule::default());
    let record = solver.fit(&mut model, &mut *loss, None, &mut ())?;
    let evidence = record.evidence.as_ref().ok_or("no evidence")?;
    numbers.extend([evidence.prior, evidence.log_evidence]);
    numbers.extend(evidence.terms.iter().map(|term| term.residuals as f64));
    let posterior = solver.posterior(&mut model, &mut *loss, Some(evidence))?;
    numbers.extend(posterior.standard_errors());
    Ok(numbers)
}

/// A fit by conjugate gradients, whose directions rounding turns: the worse the condition of the equations, the
/// further.
pub(crate) fn matrix_free(ranks: Team<'_>) -> Result<Vec<f64>> {
    damped(ranks, Form::MatrixFree, 10.0)
}

fn damped(ranks: Team<'_>, form: Form, damping: f64) -> Result<Vec<f64>> {
    let (mut model, mut loss) = (model()?, shared(ranks, total)?);
    let solver = LeastSquares::new(3).with_form(form).with_damping(damping);
    let record = solver.fit(&mut model, &mut *loss, None, &mut ())?;
    numbers_of(&record, &model)
}

/// What a loss that fails on the last rank alone leaves: the same error on all of them.
pub(crate) fn failure(ranks: &Arc<dyn Ranks>) -> Result<String> {
    let is_last = ranks.rank() + 1 == ranks.count();
    let make = |data: &DataSet<f64>| {
        // Inputs that the model does not have.
        let inputs = ndarray::Array2::zeros((data.len(), usize::from(is_last)));
        Ok(DerivativeLoss::from_data(data)?.with_inputs(inputs.view())?)
    };
    let mut loss = shared(Some(ranks), make)?;
    let error = Trainer::new(5).fit(&mut model()?, &mut *loss, None, &mut ());
    Ok(error.err().ok_or("the loss should fail")?.to_string())
}
