//! Parameters' cotangents row by row, against their sum and against batches of one.

use hnn_integrators::{
    At, Bars, DifferentiableStepper, FieldObject, Inputs, Interval, Kept, Motion, Parameters,
    ThetaBar, VectorField,
};

use crate::differences::wave;

/// The rows that are meant of a coordinate-major batch.
fn gather(lanes: &[f64], batch: usize, rows: &[usize]) -> Vec<f64> {
    lanes.chunks_exact(batch).flat_map(|lane| rows.iter().map(|row| lane[*row])).collect()
}

#[track_caller]
fn agree(what: &str, a: &[f64], b: &[f64]) {
    let size = b.iter().fold(1.0, |size: f64, b| size.max(b.abs()));
    for (k, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= 1e-12 * size, "{what}, parameter {k}: {a}, {b}");
    }
}

/// `pull(rows, theta)` pulls back through some rows of a batch.
#[track_caller]
fn agree_with_sums(batch: usize, params: usize, pull: &dyn Fn(&[usize], ThetaBar<'_, f64>)) {
    let all: Vec<usize> = (0..batch).collect();
    // The rows are columns 1 and on of wider ones, and added to what is there.
    let stride = params + 3;
    let mut block = vec![1.0; batch * stride];
    pull(&all, ThetaBar::rows(&mut block, stride).part(1..=params));
    let (mut sum, mut of_rows) = (vec![batch as f64; params], vec![0.0; params]);
    pull(&all, (&mut sum).into());
    for (b, row) in block.chunks_exact(stride).enumerate() {
        assert_eq!((row[0], &row[params + 1..]), (1.0, &[1.0; 2][..]), "beside row {b}");
        let row = &row[1..=params];
        let mut alone = vec![1.0; params];
        pull(&[b], (&mut alone).into());
        agree(&format!("row {b}"), row, &alone);
        let mut rows_of_one = vec![1.0; params];
        pull(&[b], ThetaBar::rows(&mut rows_of_one, params));
        agree(&format!("the rows of row {b}"), &rows_of_one, &alone);
        of_rows.iter_mut().zip(row).for_each(|(sum, row)| *sum += row);
    }
    agree("the sum of the rows", &of_rows, &sum);
}

/// Checks the rows of a field's parameters' cotangents: each is that of a batch of one, and they add
/// up to their sum.
///
/// ```
/// use hnn_integrators::{DualField, Lane};
/// let pendulum = DualField::new([9.81], |_t, [q, v]: [_; 2], [a]| [v, -a * q.sin()]);
/// hnn_testing::check_rows(&pendulum, 3, 0);
/// ```
#[track_caller]
pub fn check_rows(field: &dyn FieldObject<f64>, batch: usize, seed: u64) {
    let wave = |phase: f64, len: usize| wave(phase + seed as f64, len);
    let (len, inputs) = (field.dim() * batch, field.inputs() * batch);
    let (t, u, x, v) = (wave(0.9, batch), wave(0.2, inputs), wave(0.3, len), wave(1.1, len));
    agree_with_sums(batch, field.num_params(), &|rows, theta| {
        let [t, u, x, v] = [&t, &u, &x, &v].map(|lanes| gather(lanes, batch, rows));
        let (mut residuals, mut bar) = (Kept::default(), x.clone());
        field.eval_kept(At { t: &t, u: &u }, &x, &mut bar, &mut residuals).expect("evaluates");
        let bars = Bars::new(&mut bar).with_theta(theta);
        field.vjp_kept(&x, &mut residuals, &v, bars).expect("pulls back");
    });
}

/// The same through a step of a method.
#[track_caller]
pub fn check_step_rows<S, F>(stepper: &S, field: &F, batch: usize, seed: u64)
where
    S: DifferentiableStepper<f64, F>,
    F: VectorField<f64> + Parameters<f64>,
{
    step_rows(&(stepper, field), batch, seed);
}

#[track_caller]
fn step_rows(motion: &dyn Motion<f64>, batch: usize, seed: u64) {
    let wave = |phase: f64, len: usize| wave(phase + seed as f64, len);
    let (len, inputs) = (motion.dim() * batch, motion.inputs() * batch);
    let dt: Vec<f64> = wave(0.4, batch).iter().map(|h| 0.1 * h).collect();
    let (t, begin, end) = (wave(0.9, batch), wave(0.2, inputs), wave(1.3, inputs));
    let (x, v) = (wave(0.3, len), wave(1.1, len));
    agree_with_sums(batch, motion.num_params(), &|rows, theta| {
        let own = |lanes: &[f64]| gather(lanes, batch, rows);
        let (t, dt, begin, end) = (own(&t), own(&dt), own(&begin), own(&end));
        let u = Inputs::Linear { begin: &begin, end: &end };
        let (x, mut bar, mut tape) = (own(&x), own(&v), Kept::default());
        let over = Interval { t: &t, dt: &dt, u };
        motion.record(over, &x, &mut x.clone(), &mut tape).expect("records");
        let bars = Bars::new(&mut bar).with_theta(theta);
        motion.pull_back(&mut tape, bars).expect("pulls back");
    });
}
