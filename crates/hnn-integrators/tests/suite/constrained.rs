//! Mechanics under constraints: the field, RATTLE, projected methods, and their adjoints.

use hnn_integrators::{
    At, Bars, Constrained, ConstrainedRecord, Constraint, DOP853, DifferentiableConstrained,
    DifferentiableField, DifferentiableStepper, FieldError, FixedStep, Inertia, Interval, Kept,
    Lane, Motion, Parameters, Projected, RATTLE, RK4, Rattle, SolveError, StateForm, ThetaBar,
    Tolerances, VectorField, Workspace, coordinate_major, rows, solve,
};
use ndarray::{Array2, ArrayView2, s};

/// The curve where the unit sphere meets `2 z = x^3`.
struct Wire;

impl Constraint for Wire {
    type Position<L: Lane> = [L; 3];
    type Values<E: Copy> = [E; 2];
    fn values_lanes<L: Lane>(&self, &[x, y, z]: &[L; 3]) -> [L; 2] {
        [x * x + y * y + z * z - L::constant(1.0), L::constant(2.0) * z - x * x * x]
    }
}

/// A bead on it, `V = g y + cos z`, with other masses along each axis. Parameters: `g`, and the masses'
/// logarithms.
struct Bead {
    theta: [f64; 4],
    inertia: Inertia<f64>,
}

impl Bead {
    fn new(form: StateForm) -> Self {
        let theta = [1.3, 0.3, -0.2, 0.5];
        Self { theta, inertia: masses(form, &theta) }
    }

    fn energy(&self, x: &[f64]) -> f64 {
        self.inertia.kinetic(x[3..].iter().copied()) + self.theta[0] * x[1] + x[2].cos()
    }

    /// States on the wire, near those that a wave gives.
    fn states(&self, batch: usize) -> Array2<f64> {
        let x = Array2::from_shape_fn((batch, 6), |(row, i)| {
            [0.6, 0.8, 0.1, 0.0, 0.0, 0.0][i] + 0.2 * (1.7 * (row * 6 + i) as f64).sin()
        });
        self.project_rows(x.view()).expect("near")
    }
}

fn masses(form: StateForm, theta: &[f64]) -> Inertia<f64> {
    Inertia::new(form, theta[1..].iter().map(|log| log.exp()).collect()).expect("positive")
}

impl VectorField<f64> for Bead {
    fn dim(&self) -> usize {
        6
    }
    fn eval(
        &self,
        at: At<'_, f64>,
        x: &[f64],
        dx: &mut [f64],
        workspace: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        self.constrained_slope(at.batch(), x, dx, workspace)
    }
}

impl Constrained<f64> for Bead {
    type Constraint = Wire;
    fn constraint(&self) -> &Wire {
        &Wire
    }
    fn inertia(&self) -> &Inertia<f64> {
        &self.inertia
    }
    fn force(
        &self,
        batch: usize,
        q: &[f64],
        force: &mut [f64],
        _: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        for row in 0..batch {
            force[row] = 0.0;
            force[batch + row] = -self.theta[0];
            force[2 * batch + row] = q[2 * batch + row].sin();
        }
        Ok(())
    }
}

impl Parameters<f64> for Bead {
    fn num_params(&self) -> usize {
        4
    }
    fn copy_params(&self, out: &mut [f64]) -> Result<(), FieldError> {
        out.copy_from_slice(&self.theta);
        Ok(())
    }
    fn set_params(&mut self, theta: &[f64]) -> Result<(), FieldError> {
        self.theta.copy_from_slice(theta);
        self.inertia = masses(self.inertia.form(), theta);
        Ok(())
    }
}

impl DifferentiableConstrained<f64> for Bead {
    type ForceResiduals = ();
    fn force_recorded(
        &self,
        batch: usize,
        q: &[f64],
        force: &mut [f64],
        (): &mut (),
    ) -> Result<(), FieldError> {
        self.force(batch, q, force, &mut Workspace::default())
    }
    fn force_vjp(
        &self,
        q: &[f64],
        (): &mut (),
        cotangent: &[f64],
        mut bars: Bars<'_, f64>,
    ) -> Result<(), FieldError> {
        let batch = q.len() / 3;
        bars.x.fill(0.0);
        for row in 0..batch {
            let z = 2 * batch + row;
            bars.x[z] = q[z].cos() * cotangent[z];
            bars.theta.add(row, 0, -cotangent[batch + row]);
        }
        Ok(())
    }
    fn inverse_masses_vjp(
        &self,
        inverse_masses_bar: &[f64],
        mut theta: ThetaBar<'_, f64>,
    ) -> Result<(), FieldError> {
        let weights = self.inertia.inverse_masses();
        for (i, bar) in inverse_masses_bar.chunks(inverse_masses_bar.len() / 3).enumerate() {
            theta.add_rows(1 + i, bar.iter().map(|bar| -weights[i] * bar));
        }
        Ok(())
    }
}

impl DifferentiableField<f64> for Bead {
    type Residuals = ConstrainedRecord<f64, ()>;
    fn eval_recorded(
        &self,
        at: At<'_, f64>,
        x: &[f64],
        dx: &mut [f64],
        residuals: &mut Self::Residuals,
    ) -> Result<(), FieldError> {
        self.constrained_slope_recorded(at.batch(), x, dx, residuals)
    }
    fn vjp(
        &self,
        x: &[f64],
        residuals: &mut Self::Residuals,
        v: &[f64],
        bars: Bars<'_, f64>,
    ) -> Result<(), FieldError> {
        self.constrained_slope_vjp(x, residuals, v, bars)
    }
}

const FORMS: [StateForm; 2] = [StateForm::Canonical, StateForm::Lagrangian];

/// A state as rows.
fn one(x: &[f64]) -> ArrayView2<'_, f64> {
    ArrayView2::from_shape((1, x.len()), x).expect("a row")
}

fn wave(phase: f64, len: usize) -> Vec<f64> {
    (0..len).map(|i| (phase + 1.7 * i as f64).sin()).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn shifted(a: &[f64], b: &[f64], h: f64) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + h * b).collect()
}

/// A pull-back: the cotangents of a state, and of the parameters.
type Pull<'a> = &'a dyn Fn(&Bead, &[f64], &[f64]) -> (Vec<f64>, [f64; 4]);

/// Compares cotangents of states and parameters with central differences of `out . v`.
#[track_caller]
fn check_cotangents(
    field: &mut Bead,
    x: &[f64],
    out: &dyn Fn(&Bead, &[f64]) -> Vec<f64>,
    pull: Pull<'_>,
) {
    let (v, x_dot, theta_dot) = (wave(1.1, x.len()), wave(2.9, x.len()), wave(0.7, 4));
    let (x_bar, theta_bar) = pull(field, x, &v);
    let h = 1e-5;
    let along_x = |h| dot(&out(field, &shifted(x, &x_dot, h)), &v);
    let by_x = (along_x(h) - along_x(-h)) / (2.0 * h);
    assert!((dot(&x_bar, &x_dot) - by_x).abs() < 1e-7 * (1.0 + by_x.abs()), "{by_x}");
    let theta = field.theta;
    let mut along_theta = |h| {
        field.set_params(&shifted(&theta, &theta_dot, h)).expect("four");
        dot(&out(field, x), &v)
    };
    let by_theta = (along_theta(h) - along_theta(-h)) / (2.0 * h);
    field.set_params(&theta).expect("four");
    let exact = dot(&theta_bar, &theta_dot);
    assert!((exact - by_theta).abs() < 1e-7 * (1.0 + by_theta.abs()), "{exact}, {by_theta}");
}

/// The pull-back is exact off the constraints as well, and for both forms of states.
#[test]
fn the_field_keeps_the_constraints_and_its_pull_back_is_exact() {
    for form in FORMS {
        let mut bead = Bead::new(form);
        let start = bead.states(1).row(0).to_vec();
        let end = solve(&bead, one(&start).row(0), &[0.0, 3.0], Tolerances::relative(1e-12))
            .expect("solves");
        let end = end.states.row(1).to_vec();
        let off = bead.violation_rows(one(&end));
        assert!(off.expect("a state").iter().all(|off| off.abs() < 1e-10));
        assert!((bead.energy(&end) - bead.energy(&start)).abs() < 1e-10);

        let x = coordinate_major(bead.states(3).view());
        let x = shifted(&x, &wave(0.3, x.len()), 0.05);
        let slope = |bead: &Bead, x: &[f64]| {
            let mut dx = vec![0.0; x.len()];
            let at = At::time(&[0.0; 3]);
            bead.eval(at, x, &mut dx, &mut Workspace::default()).expect("evaluates");
            dx
        };
        check_cotangents(&mut bead, &x, &slope, &|bead, x, v| {
            let (mut record, mut x_bar, mut theta) = (Default::default(), x.to_vec(), [0.0; 4]);
            let at = At::time(&[0.0; 3]);
            bead.eval_recorded(at, x, &mut x_bar, &mut record).expect("evaluates");
            let bars = Bars::new(&mut x_bar).with_theta(&mut theta);
            bead.vjp(x, &mut record, v, bars).expect("pulls back");
            (x_bar, theta)
        });
    }
}

/// Steps of three lengths, one of them 0.
const STEPS: [f64; 3] = [0.1, 0.0, -0.2];

fn step(motion: &dyn Motion<f64>, x: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; x.len()];
    let over = Interval::new(&[0.0; 3], &STEPS);
    motion.step(over, x, &mut out, &mut Workspace::default()).expect("steps");
    out
}

/// Rows of the parameters' cotangents, each its own; their sum is checked with differences.
fn pull(motion: &dyn Motion<f64>, x: &[f64], v: &[f64]) -> (Vec<f64>, [f64; 4]) {
    let (mut tape, mut out, mut x_bar) = (Kept::default(), x.to_vec(), v.to_vec());
    let mut rows = [0.0; 12];
    motion.record(Interval::new(&[0.0; 3], &STEPS), x, &mut out, &mut tape).expect("records");
    assert_eq!(out, step(motion, x));
    let bars = Bars::new(&mut x_bar).with_theta(ThetaBar::rows(&mut rows, 4));
    motion.pull_back(&mut tape, bars).expect("pulls back");
    (x_bar, std::array::from_fn(|k| rows[k] + rows[4 + k] + rows[8 + k]))
}

#[test]
fn adjoints_of_steps_agree_with_differences() {
    fn check<S: DifferentiableStepper<f64, Bead>>(stepper: &S) {
        for form in FORMS {
            let mut bead = Bead::new(form);
            let x = coordinate_major(bead.states(3).view());
            // Off the constraints, too: all terms matter there.
            for off in [0.0, 0.02] {
                let x = shifted(&x, &wave(0.3, x.len()), off);
                check_cotangents(
                    &mut bead,
                    &x,
                    &|bead, x| step(&(stepper, bead), x),
                    &|bead, x, v| pull(&(stepper, bead), x, v),
                );
            }
        }
    }
    check(&RATTLE);
    check(&Projected(RK4));
}

/// The error after 1 s, by steps of `1 / count`.
fn error<S: hnn_integrators::Stepper<f64, Bead> + Clone>(stepper: &S, count: usize) -> f64 {
    let bead = Bead::new(StateForm::Canonical);
    let start = bead.states(1);
    let run = FixedStep::count(stepper.clone(), count).run(&bead, (0.0, 1.0), start.view());
    let end = run.expect("runs").last().row(0).to_vec();
    let start = start.row(0).to_vec();
    let exact =
        solve(&bead, one(&start).row(0), &[0.0, 1.0], Tolerances::relative(1e-13)).expect("solves");
    let exact = exact.states.row(1).to_vec();
    let off = bead.violation_rows(one(&end)).expect("a state");
    assert!(off.iter().all(|off| off.abs() < 1e-14), "{off}");
    shifted(&end, &exact, -1.0).iter().map(|e| e * e).sum::<f64>().sqrt()
}

#[test]
fn steps_have_their_orders_and_keep_the_constraints() {
    let order = |coarse: f64, fine: f64| (coarse / fine).log2();
    let rattle = order(error(&RATTLE, 50), error(&RATTLE, 100));
    assert!((rattle - 2.0).abs() < 0.05, "{rattle}");
    let projected = order(error(&Projected(RK4), 20), error(&Projected(RK4), 40));
    assert!((projected - 4.0).abs() < 0.2, "{projected}");
    assert!(error(&Projected(DOP853.propagated()), 20) < 1e-10);
}

#[test]
fn rattle_is_symmetric_and_keeps_energy_bounded() {
    let bead = Bead::new(StateForm::Canonical);
    let start = bead.states(2);
    let there = FixedStep::count(RATTLE, 100).run(&bead, (0.0, 5.0), start.view()).expect("runs");
    let back = FixedStep::count(RATTLE, 100).run(&bead, (5.0, 0.0), there.last()).expect("runs");
    let off = &back.last() - &start;
    assert!(off.iter().all(|off| off.abs() < 1e-11), "{off}");

    let run = FixedStep::count(RATTLE, 20_000).with_save_every(1);
    let run = run.run(&bead, (0.0, 1000.0), start.slice(s![..1, ..])).expect("runs");
    let states = run.states.index_axis(ndarray::Axis(0), 0);
    let energy = bead.energy(&start.row(0).to_vec());
    let off = |row: ndarray::ArrayView1<'_, f64>| (bead.energy(&row.to_vec()) - energy).abs();
    let most = |rows: std::ops::Range<usize>| {
        states.slice(s![rows, ..]).outer_iter().map(off).fold(0.0, f64::max)
    };
    let (early, late) = (most(0..2000), most(18_000..20_001));
    assert!(early < 0.01 && late < 1.2 * early, "{early}, {late}");
}

/// Tangents of the constraints, one step forward: their symplectic product stays.
#[test]
fn rattle_is_symplectic() {
    let bead = Bead::new(StateForm::Canonical);
    let x = bead.states(1);
    let (h, over) = (1e-4, Interval::new(&[0.0], &[0.3]));
    let tangent = |phase: f64| {
        let at = |h: f64| {
            let moved = &x + &(h * Array2::from_shape_vec((1, 6), wave(phase, 6)).expect("6"));
            bead.project_rows(moved.view()).expect("near")
        };
        let difference = 8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h));
        (difference / (12.0 * h)).row(0).to_vec()
    };
    let (a, b) = (tangent(0.4), tangent(2.2));
    // The step's Jacobian, a pull-back a row.
    let x = x.row(0).to_vec();
    let jacobian = Vec::from_iter((0..6).map(|i| {
        let (mut tape, mut out) = (Default::default(), [0.0; 6]);
        RATTLE.record(&bead, over, &x, &mut out, &mut tape).expect("records");
        let mut bar = [0.0; 6];
        bar[i] = 1.0;
        let bars = Bars::new(&mut bar);
        <Rattle as DifferentiableStepper<f64, Bead>>::pull_back(&RATTLE, &bead, &mut tape, bars)
            .expect("pulls back");
        bar
    }));
    let product = |a: &[f64], b: &[f64]| dot(&a[..3], &b[3..]) - dot(&a[3..], &b[..3]);
    let forward = |v: &[f64]| Vec::from_iter(jacobian.iter().map(|row| dot(row, v)));
    let (before, after) = (product(&a, &b), product(&forward(&a), &forward(&b)));
    assert!(before.abs() > 1e-3);
    assert!((before - after).abs() < 1e-10, "{before}, {after}");
}

#[test]
fn what_cannot_be_held_is_an_error() {
    let bead = Bead::new(StateForm::Canonical);
    // Too far a step; at (0, 0, 0) the sphere has no normal.
    let run = |dt: f64, start: Array2<f64>| {
        FixedStep::count(RATTLE, 1).run(&bead, (0.0, dt), start.view()).map(|_| ())
    };
    let SolveError::Field { source: FieldError::OffConstraints { .. }, .. } =
        run(1e3, bead.states(1)).expect_err("too far").error
    else {
        panic!("another error")
    };
    let error = bead.eval_state(0.0, &[0.0; 6]).expect_err("no normal").to_string();
    assert!(error.contains("not independent"), "{error}");
    let nan = bead.eval_state(0.0, &[f64::NAN; 6]).expect("evaluates");
    assert!(nan.iter().any(|x| x.is_nan()));
    for mass in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-320] {
        let error = Inertia::new(StateForm::Canonical, vec![1.0, mass]).expect_err("no mass");
        assert!(error.to_string().contains("coordinate 1"), "{error}");
    }
    assert!(bead.project_rows(Array2::zeros((1, 4)).view()).is_err());
    assert!(bead.violation_rows(Array2::zeros((1, 4)).view()).is_err());
    let (over, mut out) = (Interval::new(&[0.0], &[0.1]), [0.0; 5]);
    let workspace = &mut Workspace::default();
    let x = rows(&[0.1; 6], 1, 6).into_raw_vec_and_offset().0;
    for stepper in [&RATTLE as &dyn hnn_integrators::Stepper<f64, Bead>, &Projected(RK4)] {
        assert!(stepper.step(&bead, over, &x, &mut out, workspace).is_err());
    }
}
