//! Recordings with inputs, friction, torques, gaps and rates: the right values by formula.

use chacha20::ChaCha8Rng;
use hnn_data::{Column, Recording, RecordingReader};
use hnn_integrators::{
    At, Between, Driven, FnField, RK4, Signal, Signals, Tolerances, VectorField, Workspace,
    coordinate_major, solve_batch,
};
use hnn_sparse::{
    Ansatz, Differentiation, Equations, Expression, IntegralForm, InverseDynamics, Library,
    Observations, Samples, Selection, Shooting, SparseError, SparseFit, SparseHamiltonian,
    SparseLagrangian, WeakForm,
};
use hnn_testing::{
    assert_each_close, check_rows, check_step_inputs, check_vjp, lengths, recording as file,
};
use ndarray::{Array2, array};
use rand::{RngExt, SeedableRng};

use crate::common::{normal, x};

/// The columns t, q and p.
fn of_momenta(name: &str) -> RecordingReader {
    Recording::read(file(name)).time("t").angle("q").momentum("p")
}

fn observed(reader: RecordingReader) -> Observations {
    Observations::from(&reader.load().and_then(|r| r.data_set()).expect("readable"))
}

fn library(features: impl IntoIterator<Item = Expression>) -> Library {
    Library::from_features(1, features).expect("valid")
}

/// That a term has this value, up to a bound.
#[track_caller]
fn assert_term<M>(found: &SparseFit<M>, name: &str, value: f64, bound: f64) {
    let term = found.term(name).unwrap_or_else(|| panic!("no {name} in {:?}", found.names()));
    let error = (term.coefficient - value).abs();
    assert!(error <= bound, "{name}: {} instead of {value}", term.coefficient);
}

/// The same, and within three of its standard errors.
#[track_caller]
fn assert_estimate<M>(found: &SparseFit<M>, name: &str, value: f64, bound: f64) {
    assert_term(found, name, value, bound);
    let std_error = found.term(name).map_or(0.0, |term| term.std_error);
    assert_term(found, name, value, 3.0 * std_error);
}

/// The equations by all roads that take states alone.
fn by_all_roads(observations: &Observations, ansatz: &Ansatz) -> [Equations; 4] {
    let samples = |kind: Differentiation| {
        kind.samples(observations).and_then(|s| s.equations(ansatz)).expect("enough points")
    };
    [
        WeakForm::default().equations(observations, ansatz).expect("enough points"),
        IntegralForm::new(0.5).and_then(|f| f.equations(observations, ansatz)).expect("enough"),
        samples(Differentiation::savitzky_golay(0.5)),
        samples(Differentiation::Central),
    ]
}

/// `H` of a pendulum among monomials, and forces that are inputs, times states or not.
fn driven_pendulum() -> Ansatz {
    let (u, waves) = (Expression::input(0), Library::trigonometric(1, &[1.0], 0).expect("valid"));
    Library::monomials(1, 1..=3)
        .and_then(|l| Ansatz::new(&l.union(&waves)?))
        .and_then(|a| a.with_inputs(["u"])?.with_force(0, [u.clone(), x(0) * u.clone(), x(1) * u]))
        .expect("valid")
}

#[test]
fn a_gain_out_of_two_trials_of_the_same_times() {
    let reader = of_momenta("two_torques.csv").trial("trial").input("u");
    let data = reader.load().and_then(|r| r.data_set()).expect("readable");
    let observations = Observations::from(&data);
    let bounds = [1e-6, 1e-6, 2e-4, 1e-3];
    for (equations, bound) in by_all_roads(&observations, &driven_pendulum()).iter().zip(bounds) {
        let found = Selection::default().run(equations).expect("found");
        assert_eq!(found.names(), ["p^2", "cos(q)", "force on p[u]"], "{found}");
        assert_term(&found, "force on p[u]", 1.0, bound);
        assert_term(&found, "cos(q)", -1.0, bound);
    }
    let equations =
        WeakForm::default().equations(&observations, &driven_pendulum()).expect("valid");
    let known = Selection::default().know("force on p[u]", 1.0).run(&equations).expect("found");
    let model = known.model();
    assert_eq!(model.to_text(), "H = 0.5 p^2 - cos(q)\nF[p] = u");
    assert_eq!(model.to_latex(), "H = 0.5\\,p^{2} - \\cos\\left(q\\right) \\\\\nF_{p} = u");
    assert!(model.to_rust().expect("printable").contains("field(x: &[f64; 2], u: &[f64; 1])"));
    // The fitted model, driven by the recorded torques, is the recording; so is its file.
    let folder = tempfile::tempdir().expect("writable");
    model.save(folder.path().join("pendulum.json")).expect("writable");
    let read = SparseHamiltonian::load(folder.path().join("pendulum.json"), &[]).expect("saved");
    assert_eq!(
        (read.to_json().ok(), read.input_names()),
        (model.to_json().ok(), &["u".to_owned()][..])
    );
    let signals = data.signals(Between::Linear);
    let driven = Driven::new(&read, Signals::Sampled(&signals));
    let times = data.trajectory(0).expect("two").times.to_vec();
    let run = solve_batch(&driven, data.starts().view(), &times, Tolerances::default());
    let states = run.expect("solved").states;
    let recorded = data.states();
    let error = recorded
        .indexed_iter()
        .map(|((row, i), value)| (states[[row / times.len(), row % times.len(), i]] - value).abs());
    assert!(error.fold(0.0, f64::max) < 1e-5);
}

#[test]
fn inputs_are_used_or_refused() {
    let observations = observed(of_momenta("two_torques.csv").trial("trial").input("u"));
    let blind = Ansatz::new(&Library::monomials(1, 1..=2).expect("valid")).expect("valid");
    let error =
        WeakForm::default().equations(&observations, &blind).expect_err("an input").to_string();
    for part in ["the data have 1 inputs, the ansatz 0", "with_inputs", "without_inputs"] {
        assert!(error.contains(part), "{error}");
    }
    let without = observations.clone().without_inputs();
    assert!(WeakForm::default().equations(&without, &blind).is_ok());
    assert!(WeakForm::default().equations(&without, &driven_pendulum()).is_err());
    let samples = Differentiation::Central.samples(&observations).expect("valid");
    assert!(matches!(samples.clone().equations(&blind), Err(SparseError::Inputs { given: 1, .. })));
    assert!(samples.without_inputs().equations(&blind).is_ok());
    let energy = Library::from_features(1, [Expression::input(0)]).expect_err("no energy");
    assert!(energy.to_string().contains("uses input 0"), "{energy}");
    let ansatz = blind.clone().with_inputs(["u"]).expect("valid");
    assert!(ansatz.clone().with_force(0, [Expression::input(1)]).is_err());
    assert!(ansatz.clone().with_force(1, [Expression::input(0)]).is_err());
    assert!(ansatz.with_force(0, [Expression::input(0), Expression::input(0)]).is_err());
    assert!(blind.with_inputs(["q"]).is_err());
}

/// A spring `q'' = -4 q - 0.3 q' + 0.7 u (1 + q)` with an input that jumps every 0.1.
fn jumping(noise: f64) -> Observations {
    let spring = FnField::with_inputs(2, 1, |_t: f64, x: &[f64], u: &[f64], dx: &mut [f64]| {
        dx[0] = x[1];
        dx[1] = -4.0 * x[0] - 0.3 * x[1] + 0.7 * u[0] * (1.0 + x[0]);
    });
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let times: Vec<f64> = (0..201).map(|k| 0.1 * k as f64).collect();
    let u = Array2::from_shape_simple_fn((201, 1), || rng.random_range(-2.0..2.0));
    let signals = [Signal::held(&times, u.view())];
    let driven = Driven::new(&spring, Signals::Sampled(&signals));
    let start = array![[1.0, 0.0]];
    let run = solve_batch(&driven, start.view(), &times, Tolerances::both(1e-11)).expect("solved");
    let states = run.states.index_axis(ndarray::Axis(0), 0).mapv(|v| v + noise * normal(&mut rng));
    let mut observations = Observations::new(2).with_inputs(1).held();
    observations.push_with_inputs(times, states, u).expect("valid");
    observations
}

fn spring() -> Ansatz {
    Ansatz::new(&library([0.5 * x(1).powi(2), x(0).powi(2)]))
        .and_then(|a| {
            a.with_inputs(["u"])?
                .with_force(0, [x(1), Expression::input(0), x(0) * Expression::input(0)])
        })
        .expect("valid")
}

#[test]
fn held_inputs_jump_where_they_are_sampled() {
    let observations = jumping(0.0);
    let bounds = [0.006, 0.006, 0.012, 0.02];
    for (equations, bound) in by_all_roads(&observations, &spring()).into_iter().zip(bounds) {
        let found = Selection::default().run(&equations).expect("found");
        for (name, value) in [("u", 0.7), ("q u", 0.7), ("p", -0.3)] {
            let gain = found.coefficient(&format!("force on p[{name}]"));
            assert!((gain / value - 1.0).abs() < bound, "{name}: {found}");
        }
    }
    // The trajectories themselves, from a rough formula: no error but that of the steps.
    let rough = SparseHamiltonian::from_coefficients(&spring(), &[1.1, 1.9, -0.2, 0.6, 0.8]);
    let refined = Shooting::default().refine(&rough.expect("valid"), &observations).expect("near");
    assert_each_close(refined.model.coefficients(), [1.0, 2.0, -0.3, 0.7, 0.7], 1e-5);
    let noisy = jumping(0.01);
    let rough = SparseHamiltonian::from_coefficients(&spring(), &[1.1, 1.9, -0.2, 0.6, 0.8]);
    let refined = Shooting::default().refine(&rough.expect("valid"), &noisy).expect("near").model;
    for (term, value) in refined.terms().iter().zip([1.0, 2.0, -0.3, 0.7, 0.7]) {
        let (error, sigma) = ((term.coefficient() - value).abs(), term.std_error());
        assert!(error < 3.0 * sigma && sigma < 0.05, "{value}: {error} of {sigma}");
    }
}

#[test]
fn a_driven_formula_has_exact_cotangents() {
    let features = [x(0) * Expression::input(1), Expression::input(0).powi(2) * x(1)];
    let ansatz = Ansatz::new(&library([x(1).powi(2), Expression::cos(1.0, 0)]))
        .and_then(|a| a.with_inputs(["u", "w"])?.with_force(0, features))
        .and_then(|a| a.with_force(0, Expression::friction(1, 0.5)))
        .expect("valid");
    let mut model =
        SparseHamiltonian::from_coefficients(&ansatz, &[0.4, -1.5, 0.3, 0.8, -0.1, -0.2, -0.3])
            .expect("valid");
    check_vjp(&mut model, 5, 1);
    check_rows(&model, 5, 1);
    check_step_inputs(&RK4, &model, 3, 1);
    lengths::field_is_checked(&model);
    lengths::differentiable_field_is_checked(&model);
    assert!(!model.is_separable() && model.is_dissipative());
}

#[test]
fn dry_friction_is_finite_at_rest() {
    let observations = observed(of_momenta("dry_friction.csv").trial("trial"));
    let energy = library([0.5 * x(1).powi(2), Expression::cos(1.0, 0)]);
    let ansatz = Ansatz::new(&energy)
        .and_then(|a| a.with_force(0, Expression::friction(1, 0.01)))
        .expect("valid");
    let names = ["0.5 p^2", "cos(q)", "force on p[p]", "force on p[tanh(100 p)]"];
    let forms = [
        WeakForm::default().equations(&observations, &ansatz),
        IntegralForm::new(0.3).and_then(|f| f.equations(&observations, &ansatz)),
    ];
    for equations in forms {
        let found = Selection::default().run(&equations.expect("valid")).expect("found");
        assert_eq!(found.names(), names, "{found}");
        for (name, value) in names.into_iter().zip([1.0, -6.0, -0.05, -0.1]) {
            assert_estimate(&found, name, value, 5e-3 * value.abs());
        }
        let at_rest: Vec<f64> = found.model().eval_state(0.0, &[0.5, 0.0]).expect("finite");
        assert!((at_rest[1] + 6.0 * 0.5_f64.sin()).abs() < 1e-2);
        let mut model = found.into_model();
        check_vjp(&mut model, 3, 0);
    }
}

#[test]
fn what_is_not_finite_is_named_by_the_row_of_the_user() {
    let observations = observed(of_momenta("dry_friction.csv").trial("trial"));
    let energy = library([0.5 * x(1).powi(2), Expression::cos(1.0, 0)]);
    let speed = Expression::distance(&[hnn_sparse::Argument::Coordinate(1)]);
    let singular = library([speed.powi(-1)]);
    let ansatz = Ansatz::new(&energy)
        .and_then(|a| a.with_friction(&singular, hnn_sparse::Friction::Shared))
        .expect("valid");
    let error =
        WeakForm::default().equations(&observations, &ansatz).expect_err("p = 0").to_string();
    for part in
        ["`friction[|p|^-1]`", "row 0 of trajectory 0", "q = 0.6, p = 0", "Expression::friction"]
    {
        assert!(error.contains(part), "{part}: {error}");
    }
    // The first row has no central difference; the rows are those of the trajectory all the same.
    let (times, q) = ([0.0, 0.1, 0.2, 0.3, 0.4], [1.0, 1.0, 1.1, 1.0, 0.8]);
    let mut shaken = Observations::new(2);
    let states = Array2::from_shape_fn((5, 2), |(k, i)| [q[k], [1.0, 1.0, 2.0, 0.0, -2.0][k]][i]);
    shaken
        .push(times.to_vec(), &states + 1.0)
        .and_then(|()| shaken.push(times.to_vec(), states))
        .expect("valid");
    let samples = Differentiation::Central.samples(&shaken).expect("enough");
    let equations = samples.equations(&ansatz).expect("as many as unknowns");
    let error = Selection::default().run(&equations).expect_err("p = 0").to_string();
    assert!(error.contains("row 3 of trajectory 1") && error.contains("q = 1, p = 0"), "{error}");
}

/// A motor-driven pendulum at 300 Hz, quantised: `I q'' = tau - m g l sin q - b q' - c sign q'`.
#[test]
fn the_motor_pendulum_out_of_its_torque() {
    let reader = Recording::read(file("motor_pendulum.csv")).time("time").angle("position");
    let observations = observed(reader.velocity("velocity").input("torque"));
    let friction = Expression::friction(1, 0.1).into_iter().take(2);
    let dynamics = library([0.5 * x(1).powi(2), Expression::cos(1.0, 0)])
        .with_coordinate_names(["q", "v"])
        .and_then(|l| InverseDynamics::new(&l)?.with_friction(0, friction))
        .expect("valid");
    let dry = ["0.5 v^2", "cos(q)", "friction on q[tanh(10 v)]"];
    let of_width = |width| WeakForm::default().with_width(width).and_then(|f| f.with_stride(0.05));
    let forms = [WeakForm::default()]
        .into_iter()
        .chain([0.4, 0.5, 0.6].map(|w| of_width(w).expect("valid")));
    for form in forms {
        let equations = form.equations(&observations, &dynamics).expect("enough points");
        // Dry friction is expected of a motor, and is little more than the noise of the torque.
        let found = Selection::default().require(dry).run(&equations).expect("found");
        assert_estimate(&found, "0.5 v^2", 0.142, 0.05 * 0.142);
        assert_estimate(&found, "cos(q)", 2.73, 0.03 * 2.73);
        assert_estimate(&found, "friction on q[tanh(10 v)]", 0.28, 0.02);
        assert!(found.coefficient("friction on q[v]").abs() <= 0.02, "{found}");
        for (name, right) in dry.into_iter().zip([0.142, 2.73, 0.28]) {
            let term = found.term(name).expect("required");
            assert!((term.coefficient - right).abs() < 3.0 * term.std_error, "{found}");
        }
        // With viscous friction too, it is nothing within its own standard errors.
        let all = Selection::default().require(dynamics.names()).run(&equations).expect("found");
        let viscous = all.term("friction on q[v]").expect("required");
        assert!(viscous.coefficient.abs() < 0.03 && viscous.t_value().abs() < 3.0, "{all}");
    }
    // The other way round, noise of the torque makes its gain too small: 1 / I is 7.
    let canonical = Ansatz::new(&library([0.5 * x(1).powi(2), Expression::cos(1.0, 0)]))
        .and_then(|a| a.with_inputs(["u"])?.with_force(0, [Expression::input(0)]))
        .expect("valid");
    let form = WeakForm::default().with_width(0.5).expect("valid");
    let equations = form.equations(&observations, &canonical).expect("enough points");
    let found = Selection::default().require(canonical.names()).run(&equations).expect("found");
    let gain = found.term("force on p[u]").expect("required");
    assert!(gain.coefficient < 1.0 / 0.142 - 4.0 * gain.std_error, "{found}");
}

/// `I q'' = tau - m g l sin q - c sign q'` under a controller that follows two sines by the differences of its
/// encoder, at 300 Hz for 4 s; the angle as the encoder has it, the torque with noise.
fn controlled_motor(inertia: f64, weight: f64, dry: f64, seed: u64) -> [Vec<f64>; 3] {
    const ENCODER: f64 = 0.003;
    const SUBSTEPS: usize = 20;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (dt, natural) = (1.0 / 300.0, (weight / inertia).sqrt());
    let (mut q, mut v) = (0.001_f64, 0.0_f64);
    let (mut last, mut rate) = (0.0, 0.0);
    let mut columns = [vec![], vec![], vec![]];
    for k in 0..1200 {
        let t = dt * f64::from(k);
        let angle = (q / ENCODER).round() * ENCODER;
        rate += 0.6 * ((angle - last) / dt - rate);
        last = angle;
        let sine = |size: f64, w: f64| [size * (w * t).sin(), size * w * (w * t).cos()];
        let (slow, fast) = (sine(0.8, 0.6 * natural), sine(0.5, 1.7 * natural));
        let torque = 20.0 * weight * (slow[0] + fast[0] - angle)
            + 4.0 * (weight * inertia).sqrt() * (slow[1] + fast[1] - rate);
        let noise = 0.01 * weight * normal(&mut rng);
        columns.iter_mut().zip([t, angle, torque + noise]).for_each(|(column, x)| column.push(x));
        for _ in 0..SUBSTEPS {
            let acceleration =
                |q: f64, v: f64| (torque - weight * q.sin() - dry * (v / 0.02).tanh()) / inertia;
            let h = dt / SUBSTEPS as f64;
            let middle = [q + 0.5 * h * v, v + 0.5 * h * acceleration(q, v)];
            q += h * middle[1];
            v += h * acceleration(middle[0], middle[1]);
        }
    }
    columns
}

/// The default width follows the noise: that of rough velocities is wider than that of smooth ones, and in
/// neither is the inertia too small, as it is in narrower windows.
#[test]
fn windows_of_torques_are_as_wide_as_the_noise_of_the_states_asks() {
    for (seed, [inertia, weight, dry]) in
        [[0.05, 1.0, 0.08], [0.6, 7.0, 0.5]].into_iter().enumerate()
    {
        let [t, q, torque] = controlled_motor(inertia, weight, dry, seed as u64);
        let columns = [("t", &t[..]), ("q", &q), ("torque", &torque)];
        let reader = Recording::from_columns(columns).time("t").angle("q").input("torque");
        let smooth = reader.load().and_then(|r| r.differentiate()).expect("long").data;
        let mut rough = smooth.states().to_owned();
        for k in 0..t.len() {
            let (from, to) = (k.saturating_sub(1), (k + 1).min(t.len() - 1));
            (rough[[k, 0]], rough[[k, 1]]) = (q[k], (q[to] - q[from]) / (t[to] - t[from]));
        }
        let friction = Expression::friction(1, 0.1).into_iter().take(2);
        let dynamics = library([0.5 * x(1).powi(2), Expression::cos(1.0, 0)])
            .with_coordinate_names(["q", "v"])
            .and_then(|l| InverseDynamics::new(&l)?.with_friction(0, friction))
            .expect("valid");
        let fit = |states: Array2<f64>, form: WeakForm| {
            let mut observations = Observations::new(2).with_inputs(1);
            let torques = smooth.inputs().to_owned();
            observations.push_with_inputs(t.clone(), states, torques).expect("valid");
            let equations = form.equations(&observations, &dynamics).expect("enough points");
            Selection::default().require(dynamics.names()).run(&equations).expect("found")
        };
        let found = fit(smooth.states().to_owned(), WeakForm::default());
        assert_estimate(&found, "0.5 v^2", inertia, 0.01 * inertia);
        assert_estimate(&found, "cos(q)", weight, 0.01 * weight);
        assert_estimate(&found, "friction on q[tanh(10 v)]", dry, 0.1 * dry);
        let wide = fit(rough.clone(), WeakForm::default());
        assert_estimate(&wide, "0.5 v^2", inertia, 0.01 * inertia);
        assert!(wide.rows < found.rows, "{wide}\n{found}");
        let narrow = fit(rough, WeakForm::default().with_width(0.05).expect("positive"));
        assert!(narrow.coefficient("0.5 v^2") < 0.97 * inertia, "{narrow}");
    }
}

/// Standard errors are those of many repetitions, with white noise on the torques.
#[test]
fn standard_errors_of_torques_are_what_they_say() {
    let dynamics = library([0.5 * x(1).powi(2), Expression::cos(1.0, 0)])
        .with_coordinate_names(["q", "v"])
        .and_then(|l| InverseDynamics::new(&l)?.with_friction(0, [x(1)]))
        .expect("valid");
    let times: Vec<f64> = (0..600).map(|k| 0.02 * k as f64).collect();
    // q = 0.8 sin t + 0.6 sin 2.7 t, with I = 0.5, m g l = 2, b = 0.3.
    let motion = |t: f64| {
        let (slow, fast) = ((t.sin(), t.cos()), ((2.7 * t).sin(), (2.7 * t).cos()));
        let v = 0.8 * slow.1 + 0.6 * 2.7 * fast.1;
        [0.8 * slow.0 + 0.6 * fast.0, v, -0.8 * slow.0 - 0.6 * 2.7 * 2.7 * fast.0]
    };
    let states = Array2::from_shape_fn((600, 2), |(k, i)| motion(times[k])[i]);
    let slopes = Array2::from_shape_fn((600, 2), |(k, i)| motion(times[k])[i + 1]);
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let mut squares = vec![vec![]; 4];
    for _ in 0..60 {
        let torque = Array2::from_shape_fn((600, 1), |(k, _)| {
            let [q, v, a] = motion(times[k]);
            0.5 * a + 2.0 * q.sin() + 0.3 * v + 0.2 * normal(&mut rng)
        });
        let mut observations = Observations::new(2).with_inputs(1);
        let pushed = observations.push_with_inputs(times.clone(), states.clone(), torque.clone());
        pushed.expect("valid");
        let samples =
            Samples::new(states.clone(), slopes.clone()).and_then(|s| s.with_inputs(torque));
        let weak = |stride: f64| {
            let form = WeakForm::default().with_width(1.0).and_then(|f| f.with_stride(stride));
            form.and_then(|f| f.equations(&observations, &dynamics)).expect("enough points")
        };
        let pointwise = samples.and_then(|s| s.equations(&dynamics)).expect("valid");
        for (squares, equations) in
            squares.iter_mut().zip([pointwise, weak(0.25), weak(0.05), weak(0.5)])
        {
            let found =
                Selection::default().require(dynamics.names()).run(&equations).expect("found");
            for (term, value) in found.terms.iter().zip([0.5, 2.0, 0.3]) {
                squares.push(((term.coefficient - value) / term.std_error).powi(2));
            }
        }
    }
    for squares in squares {
        let spread = (squares.iter().sum::<f64>() / squares.len() as f64).sqrt();
        assert!((0.85..1.25).contains(&spread), "{spread}");
    }
}

/// A two-joint arm that writes: `M(q)` and `V(q)` out of its torques.
#[test]
fn the_arm_out_of_its_torques() {
    let mut reader = Recording::read(file("arm_torques.csv")).trial("character").time("t");
    reader = reader.angle("q1").angle("q2").velocity("v1").velocity("v2");
    reader = reader.derivative("a1").derivative("a2").input("tau1").input("tau2");
    let data = reader.load().and_then(|r| r.data_set()).expect("readable");
    let squares = [0.5 * x(2).powi(2), x(2) * x(3), 0.5 * x(3).powi(2)];
    let bent = squares.clone().map(|square| square * Expression::cos(1.0, 1));
    let (sin, cos) = (|i| Expression::sin(1.0, i), |i| Expression::cos(1.0, i));
    let heights = [sin(0), sin(0) * cos(1) + cos(0) * sin(1)];
    let dynamics = Library::from_features(2, squares.into_iter().chain(bent).chain(heights))
        .and_then(|l| InverseDynamics::new(&l.with_coordinate_names(["q1", "q2", "v1", "v2"])?))
        .expect("valid");
    let equations = Samples::try_from(&data).and_then(|s| s.equations(&dynamics)).expect("valid");
    let arm = Selection::default().run(&equations).expect("found").into_model();

    assert!(!arm.mass(1, 1).depends_on(1), "{arm}");
    for (q1, q2) in [(0.0, 0.0), (0.3, 1.0), (-0.7, 2.0)] {
        let state: [f64; 4] = [q1, q2, 0.3, -0.2];
        let entries = [arm.mass(0, 0), arm.mass(0, 1), arm.mass(1, 0), arm.mass(1, 1)];
        let values = entries.map(|entry| entry.value(&state));
        let (inner, outer) = (0.517615 + 0.5 * q2.cos(), 1.372729 + q2.cos());
        for (value, right) in values.iter().zip([outer, inner, inner, 0.517615]) {
            // The published digits.
            assert!((value - right).abs() < 5e-7, "{value} instead of {right}");
        }
        let (v, right) = (arm.potential().value(&state), 2.625 * q1.sin() + 1.5 * (q1 + q2).sin());
        assert!((v - right).abs() < 1e-6 * right.abs().max(0.1), "{v} instead of {right}");
    }
    // As a field it has the accelerations that were measured, of the torques that were.
    let (states, torques) = (coordinate_major(data.states()), coordinate_major(data.inputs()));
    let mut slopes = vec![0.0; states.len()];
    let at = At { t: data.times(), u: &torques };
    arm.eval(at, &states, &mut slopes, &mut Workspace::default()).expect("positive masses");
    let measured = coordinate_major(data.derivatives());
    assert_each_close(slopes, measured, 1e-6);
    lengths::field_is_checked(&arm);
    // So has its file.
    let text = arm.to_json().expect("finite");
    let read = SparseLagrangian::from_json(&text, &[]).expect("written");
    assert_eq!((read.to_json().ok(), read.to_text()), (Some(text.clone()), arm.to_text()));
    let folder = tempfile::tempdir().expect("writable");
    arm.save(folder.path().join("arm.json")).expect("writable");
    assert!(SparseLagrangian::load(folder.path().join("arm.json"), &[]).is_ok());
    for (good, bad) in [("\"joint\": null", "\"joint\": 2"), ("\"version\": 1", "\"version\": 9")] {
        assert!(text.contains(good));
        assert!(SparseLagrangian::from_json(&text.replacen(good, bad, 1), &[]).is_err(), "{bad}");
    }
    assert!(
        SparseLagrangian::from_json(&text.replace("lagrangian\"", "hamiltonian\""), &[]).is_err()
    );
}

#[test]
fn rates_and_gaps_are_no_fault_of_the_roads() {
    let ansatz = |energy: &Library| Ansatz::new(energy).expect("valid");
    let waves = Library::trigonometric(1, &[1.0], 0).expect("valid");
    let swing = ansatz(&Library::monomials(1, 1..=2).and_then(|l| l.union(&waves)).expect("valid"));
    let two_rates = observed(of_momenta("two_rates.csv"));
    let equations = [
        WeakForm::default().equations(&two_rates, &swing),
        IntegralForm::new(0.5).and_then(|f| f.equations(&two_rates, &swing)),
    ];
    for equations in equations {
        let found = Selection::default().run(&equations.expect("enough points")).expect("found");
        assert_eq!(found.names(), ["p^2", "cos(q)"], "{found}");
        assert!((found.coefficient("cos(q)") + 3.0).abs() < 3e-3, "{found}");
        assert!((found.coefficient("p^2") - 1.0).abs() < 1e-3, "{found}");
    }
    // q = sin 3t: two pieces, no window across the gap.
    let pieces = observed(
        Recording::read(file("missing_samples.csv")).time("t").position("q").momentum("p"),
    );
    assert_eq!(pieces.len(), 2);
    let spring = ansatz(&library([x(0).powi(2), x(1).powi(2)]));
    for (equations, bound) in by_all_roads(&pieces, &spring).iter().zip([1e-6, 1e-6, 1e-3, 1e-3]) {
        let found = Selection::default().run(equations).expect("found");
        assert!((found.coefficient("q^2") - 4.5).abs() < 4.5 * bound, "{found}");
        assert!((found.coefficient("p^2") - 0.5).abs() < 0.5 * bound, "{found}");
    }
}

#[test]
fn short_pieces_are_left_out_with_a_word() {
    let (mut pieces, mut alone) = (Observations::new(2), Observations::new(2));
    let orbit = |count: usize, phase: f64| {
        let times: Vec<f64> = (0..count).map(|k| 0.05 * k as f64).collect();
        let states = Array2::from_shape_fn((count, 2), |(k, i)| {
            let t = times[k] + phase;
            (1.0 + phase) * if i == 0 { t.cos() } else { -t.sin() }
        });
        (times, states)
    };
    for (count, phase) in [(200, 0.0), (2, 0.3), (150, 0.5), (6, 0.7)] {
        let (times, states) = orbit(count, phase);
        if count > 6 {
            alone.push(times.clone(), states.clone()).expect("valid");
        }
        // Two rows that are far apart are no reason to widen the windows of all.
        let times = if count == 2 { vec![0.0, 9.0] } else { times };
        pieces.push(times, states).expect("valid");
    }
    let ansatz = Ansatz::new(&library([x(0).powi(2), x(1).powi(2)])).expect("valid");
    let both = [&pieces, &alone].map(|o| by_all_roads(o, &ansatz));
    for (a, b) in both[0].iter().zip(&both[1]).take(3) {
        let found = Selection::default().run(a).expect("found");
        assert!((found.coefficient("q^2") - 0.5).abs() < 1e-3, "{found}");
        assert!(found.warnings[0].contains("left out: trajectories 1, 3"), "{found}");
        assert!(b.warnings().is_empty());
    }
    let mut short = Observations::new(2);
    let (times, states) = orbit(6, 0.0);
    short.push(times, states).expect("valid");
    assert!(WeakForm::default().equations(&short, &ansatz).is_err());
    for error in [
        IntegralForm::new(0.5).and_then(|f| f.equations(&short, &ansatz)).expect_err("too short"),
        Differentiation::savitzky_golay(0.5).samples(&short).expect_err("too short"),
    ] {
        assert!(
            error.to_string().contains("0.5, but the longest trajectory lasts 0.25"),
            "{error}"
        );
    }
}

#[test]
fn a_wrapped_angle_gives_the_results_of_the_unwrapped_one() {
    let wrapped = observed(of_momenta("wrapped_angle.csv"));
    let reader = Recording::read(file("wrapped_angle.csv")).time("t").momentum("p");
    let raw = reader.angle(Column::new("q").continuous()).load().and_then(|r| r.data_set());
    let raw = raw.expect("readable");
    let mut states = raw.states().to_owned();
    for k in 1..states.nrows() {
        let turns = ((states[[k, 0]] - states[[k - 1, 0]]) / std::f64::consts::TAU).round();
        states[[k, 0]] -= turns * std::f64::consts::TAU;
    }
    let mut jumping = Observations::new(2);
    jumping.push(raw.times().to_vec(), raw.states().to_owned()).expect("valid");
    let mut unwrapped = Observations::new(2);
    unwrapped.push(raw.times().to_vec(), states).expect("valid");
    let ansatz =
        Ansatz::new(&library([x(1).powi(2), Expression::sin(1.0, 0), Expression::cos(1.0, 0)]))
            .expect("valid");
    // Who adds up no turns is told.
    for equations in by_all_roads(&jumping, &ansatz) {
        assert!(equations.warnings()[0].contains("coordinate 0 jumps by a turn"), "{equations:?}");
    }
    let both = [&wrapped, &unwrapped].map(|o| by_all_roads(o, &ansatz));
    assert!(both.iter().flatten().all(|equations| equations.warnings().is_empty()));
    for (a, b) in both[0].iter().zip(&both[1]) {
        let [a, b] = [a, b].map(|e| Selection::default().run(e).expect("found"));
        assert_eq!(a.names(), b.names());
        assert_each_close(a.model().coefficients(), b.model().coefficients(), 1e-9);
        assert_eq!(a.names(), ["p^2", "cos(q)"], "{a}");
        assert!((a.coefficient("cos(q)") + 3.0).abs() < 0.03, "{a}");
    }
    let rough = SparseHamiltonian::from_coefficients(&ansatz, &[0.98, 0.01, -2.9]).expect("valid");
    let [a, b] =
        [&wrapped, &unwrapped].map(|o| Shooting::default().refine(&rough, o).expect("near"));
    assert_each_close(a.model.coefficients(), b.model.coefficients(), 1e-9);
    assert!((a.model.coefficients()[2] + 3.0).abs() < 1e-4);
}
