//! Simulated recordings with known answers.

use hnn_data::{Recording, RecordingReader};
use hnn_identify::{Candidate, Feature, Identify, IdentifyError, Law, Model, identify};
use hnn_integrators::{
    Adaptive, At, Between, DORMAND_PRINCE5, Driven, Signal, Signals, Tolerances, VectorField,
    Workspace,
};
use ndarray::{Array2, array};

/// Trials of a law under a torque, with noise on the angles: columns trial, t, q, u.
fn simulate(
    law: &Law,
    starts: &[f64],
    rows: usize,
    torque: fn(f64) -> f64,
    noise: f64,
) -> [Vec<f64>; 4] {
    let times = Vec::from_iter((0..rows).map(|k| 0.02 * k as f64));
    let mut columns: [Vec<f64>; 4] = Default::default();
    let mut seed = 1_u64;
    // Sums of uniform numbers, of variance 1.
    let mut normal = || {
        let mut uniform = || {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
        };
        (0..12).map(|_| uniform()).sum::<f64>()
    };
    for (trial, start) in starts.iter().enumerate() {
        let u = Array2::from_shape_fn((rows, 1), |(row, _)| torque(times[row]));
        let solver = Adaptive::new(DORMAND_PRINCE5, Tolerances::both(1e-9));
        let signals = [Signal::linear(&times, u.view())];
        let start = array![[*start, 0.0]];
        let run = if law.inputs() == 0 {
            solver.solve_batch(law, start.view(), &times)
        } else {
            let driven = Driven::new(law, Signals::Sampled(&signals));
            solver.solve_batch(&driven, start.view(), &times)
        };
        let states = run.expect("solved").states;
        for (row, t) in times.iter().enumerate() {
            let numbers = [trial as f64, *t, states[[0, row, 0]] + noise * normal(), u[[row, 0]]];
            columns.iter_mut().zip(numbers).for_each(|(column, number)| column.push(number));
        }
    }
    columns
}

fn read(columns: &[Vec<f64>; 4]) -> RecordingReader {
    let names = ["trial", "t", "theta", "tau"];
    let named = names.into_iter().zip(columns.iter().map(Vec::as_slice));
    Recording::from_columns(named).trial("trial").time("t")
}

/// That a constant has this value, within so many of its standard errors.
#[track_caller]
fn assert_constant(candidate: &Candidate, name: &str, value: f64, share: f64) {
    let constants = candidate.constants.iter().chain(&candidate.by_input);
    let found = constants.clone().find(|constant| constant.name == name);
    let found = found.unwrap_or_else(|| panic!("no {name} in {:?}", Vec::from_iter(constants)));
    let error = (found.value - value).abs();
    assert!(error <= share * value.abs(), "{found} instead of {value}");
    assert!(error <= 4.0 * found.error, "{found} instead of {value}");
}

#[test]
fn a_pendulum_with_dry_friction_from_angles_alone() {
    let features = [Feature::Sin(0), Feature::Velocity(0), Feature::Coulomb { of: 0, width: 0.05 }];
    let law = Law::new(1, 0, &features, &[-6.0, -0.05, -0.1]).expect("fits");
    let columns = simulate(&law, &[0.6, 1.9, 2.4, 0.9], 160, |_| 0.0, 2e-3);
    let recording = read(&columns).angle("theta").load().expect("readable");
    let found = identify(&recording).expect("identified");
    assert_eq!(found.split(), "the last 1 of 4 trials");
    let names = Vec::from_iter(found.candidates.iter().map(|c| c.name.as_str()));
    for name in [
        "linear oscillator",
        "pendulum, viscous friction",
        "sparse formula",
        "HNN with friction",
        "LNN with friction",
        "baseline network",
    ] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let law = found.candidate("pendulum, all supported terms").expect("fitted");
    assert_constant(law, "sin(theta)", -6.0, 5e-3);
    let Model::Law(model) = &law.model else { panic!("{law:?}") };
    let dry = model.features().iter().zip(model.constants());
    let dry = Vec::from_iter(dry.filter(|(f, _)| matches!(f, Feature::Coulomb { .. })));
    assert!(dry.len() == 1 && (dry[0].1 + 0.1).abs() < 0.02, "{found}");
    // Physics explains the trial that nobody has seen; a constant and a line do not.
    let errors = |name: &str| found.candidate(name).map_or(f64::NAN, |c| c.score.mean());
    let best = found.best().score.mean();
    assert!(best < 0.02 && best < 0.8 * errors("pendulum, viscous friction"), "{found}");
    assert!(errors("linear oscillator") > 4.0 * best, "{found}");
    assert!(errors("HNN with friction") < 0.1 && errors("LNN with friction") < 0.1, "{found}");
    assert!(
        ["pendulum, all supported terms", "sparse formula"].contains(&found.best().name.as_str())
    );
    let printed = found.to_string();
    for part in ["Held out: the last 1 of 4 trials", "Supported by the data: ", "sin(theta)"] {
        assert!(printed.contains(part), "{printed}");
    }
    page(&found);
}

/// The page has all that was found, and its files are beside it.
fn page(found: &hnn_identify::Identification) {
    let folder = tempfile::tempdir().expect("a folder");
    let page = found.write(folder.path().join("deep/er")).expect("written");
    let html = std::fs::read_to_string(&page).expect("text");
    for part in [
        "<html lang=\"en\">",
        "width=device-width",
        &found.best().name,
        "rows used",
        "alt=\"The longest",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    let files = html.split("src=\"").skip(1).chain(html.split("href=\"").skip(1));
    for file in files.filter_map(|rest| rest.split('"').next()) {
        assert!(page.with_file_name(file).is_file(), "{file}");
    }
    let model = found.model().model.save(folder.path()).expect("written");
    assert!(model.is_file());
}

#[test]
fn a_motor_in_units_of_its_torque() {
    let features = [Feature::Sin(0), Feature::Velocity(0), Feature::Input(0)];
    let law = Law::new(1, 1, &features, &[-19.0, -0.6, 7.0]).expect("fits");
    let columns =
        simulate(&law, &[0.4], 900, |t| 0.9 * (2.3 * t).sin() + 0.5 * (5.1 * t).cos(), 2e-3);
    let recording = read(&columns).angle("theta").input("tau").load().expect("readable");
    let found = Identify::default().without_networks().run(&recording).expect("identified");
    assert_eq!(found.split(), "the last fifth of each piece");
    let best = found.candidate("pendulum, viscous friction").expect("fitted");
    assert_constant(best, "tau", 7.0, 0.01);
    assert_constant(best, "inertia (tau per theta'')", 1.0 / 7.0, 0.01);
    assert_constant(best, "tau of sin(theta)", -19.0 / 7.0, 0.01);
    assert!(found.best().score.mean() < 0.02, "{found}");
    // The returned field is driven by the torque.
    let (at, mut dx) = (At { t: &[0.0], u: &[1.0] }, [0.0; 2]);
    let field: &dyn VectorField<f64> = best.model.field();
    field.eval(at, &[0.0, 0.0], &mut dx, &mut Workspace::default()).expect("fits");
    assert!((dx[1] - 7.0).abs() < 0.2);
    // Angles that do not fit the torques are no reason to believe.
    let mut shuffled = columns;
    shuffled[3].rotate_left(450);
    let recording = read(&shuffled).angle("theta").input("tau").load().expect("readable");
    let worse = Identify::default().without_networks().run(&recording).expect("identified");
    assert!(worse.best().score.mean() > 10.0 * found.best().score.mean(), "{worse}");
}

/// The measured motor: `I q'' = tau - m g l sin q - c sign q'`. Four seconds hardly tell dry friction from
/// viscous, but friction that drives is none.
#[test]
fn the_measured_motor() {
    let reader = Recording::read(hnn_testing::recording("motor_pendulum.csv")).time("time");
    let reader = reader.angle("position").velocity("velocity").input("torque");
    let recording = reader.load().expect("readable");
    let found = Identify::default().without_networks().run(&recording).expect("identified");
    let (best, text) = (found.model(), found.to_string());
    assert_eq!(best.name, "inverse dynamics", "{text}");
    assert_constant(best, "0.5 position'^2", 0.142, 0.05);
    assert_constant(best, "cos(position)", 2.73, 0.03);
    assert_constant(best, "friction on position[tanh(10 position')]", 0.28, 0.02 / 0.28);
    assert_eq!(best.constants.len(), 3, "{text}");
    assert!(best.dropped.iter().any(|c| c.name == "friction on position[position']"), "{text}");
    assert!(text.contains("? viscous friction of position explains torque as well"), "{text}");
    let fit = found.candidate("pendulum, viscous friction").expect("fitted");
    assert!(found.best().score.mean() < fit.score.mean() + fit.score.std_error(), "{text}");
    assert!(text.contains("! the noise of the inputs is"), "{text}");
    page(&found);
}

/// A velocity that is late, or of the other sign, is not used, and said to be so.
#[test]
fn velocities_that_are_no_slopes() {
    let law = Law::new(1, 0, &[Feature::Sin(0), Feature::Velocity(0)], &[-9.0, -0.15]);
    let columns = simulate(&law.expect("fits"), &[0.9], 600, |_| 0.0, 1e-3);
    let [_, t, q, _] = &columns;
    let slope = |row: usize| {
        let (from, to) = (row.saturating_sub(2), (row + 2).min(q.len() - 1));
        (q[to] - q[from]) / (t[to] - t[from])
    };
    let late = Vec::from_iter((0..q.len()).map(|row| slope(row.saturating_sub(4))));
    let turned = Vec::from_iter((0..q.len()).map(|row| -slope(row)));
    for (v, reason) in [(late, "later than the slopes"), (turned, "but -0.99")] {
        let reader = Recording::from_columns([("t", &t[..]), ("q", q), ("v", &v)]).time("t");
        let recording = reader.angle("q").velocity("v").load().expect("readable");
        let found = Identify::default().without_networks().run(&recording).expect("identified");
        assert!(found.warnings.iter().any(|warning| warning.contains(reason)), "{found}");
        assert_constant(found.best(), "sin(q)", -9.0, 0.01);
    }
}

/// Motors of other masses, each with the friction that it has, and no other.
#[test]
fn motors_rub_as_they_do() {
    let torque = |t: f64| 1.9 * (2.3 * t).sin() + 1.1 * (5.1 * t).cos() + 0.8 * (0.9 * t).sin();
    for [inertia, weight, viscous, dry] in [[0.3, 2.0, 0.2, 0.0], [0.1, 3.5, 0.1, 0.2]] {
        let coulomb = Feature::Coulomb { of: 0, width: 0.02 };
        let features = [Feature::Sin(0), Feature::Velocity(0), coulomb, Feature::Input(0)];
        let constants = [-weight, -viscous, -dry, 1.0].map(|c| c / inertia);
        let law = Law::new(1, 1, &features, &constants).expect("fits");
        let columns = simulate(&law, &[0.4], 500, torque, 1e-3);
        let recording = read(&columns).angle("theta").input("tau").load().expect("readable");
        let found = Identify::default().without_networks().run(&recording).expect("identified");
        let fit = found.candidate("inverse dynamics").expect("as many inputs as positions");
        let value = |part: &str| {
            let constant = fit.constants.iter().find(|constant| constant.name.contains(part));
            constant.map_or(0.0, |constant| constant.value)
        };
        let close = |value: f64, right: f64, share: f64| {
            assert!((value - right).abs() <= share * right, "{value}, not {right}: {fit:?}");
        };
        close(value("0.5 theta'^2"), inertia, 0.02);
        close(value("cos(theta)"), weight, 0.02);
        close(value("[theta']"), viscous, 0.2);
        close(value("[tanh("), dry, 0.2);
        assert!(found.best().score.mean() < 0.1, "{found}");
    }
}

/// Eight rows a period: a step of Runge-Kutta's method from row to row would miss the fourth digit.
#[test]
fn rows_far_apart_are_no_error_of_the_method() {
    let law = Law::new(1, 0, &[Feature::Sin(0), Feature::Velocity(0)], &[-13.0, -0.1]);
    let columns = simulate(&law.expect("fits"), &[1.2, 0.7, 0.9], 1200, |_| 0.0, 1e-3);
    let few = columns.map(|column| column.into_iter().step_by(10).collect());
    let recording = read(&few).angle("theta").load().expect("readable");
    let found = Identify::default().without_networks().run(&recording).expect("identified");
    let fit = found.candidate("pendulum, viscous friction").expect("fitted");
    assert_constant(fit, "sin(theta)", -13.0, 1e-3);
    assert_constant(fit, "theta'", -0.1, 2e-2);
}

/// Three rows from the command to the torque.
#[test]
fn inputs_that_act_later() {
    let law = Law::new(
        1,
        1,
        &[Feature::Sin(0), Feature::Velocity(0), Feature::Input(0)],
        &[-19.0, -0.6, 7.0],
    );
    let law = law.expect("fits");
    let torque = |t: f64| 0.9 * (2.3 * t).sin() + 0.5 * (5.1 * t).cos() + 0.4 * (9.3 * t).sin();
    let mut columns = simulate(&law, &[0.4], 900, torque, 2e-3);
    let identify = Identify::default().without_networks();
    let run = |columns: &[Vec<f64>; 4], identify: &Identify| {
        let recording = read(columns).angle("theta").input("tau").load().expect("readable");
        identify.run(&recording)
    };
    let at_once = run(&columns, &identify).expect("identified");
    let is_late = |warning: &String| warning.contains("later than they are logged");
    assert!(!at_once.warnings.iter().any(is_late), "{at_once}");
    columns[3] = columns[1].iter().map(|t| torque(t + 0.06)).collect();
    let early = run(&columns, &identify).expect("identified");
    assert!(early.to_string().contains("`with_input_delay(6.00e-2)`"), "{early}");
    let late = run(&columns, &identify.clone().with_input_delay(0.06)).expect("identified");
    assert!(!late.warnings.iter().any(is_late), "{late}");
    let fit = late.candidate("pendulum, viscous friction").expect("fitted");
    assert_constant(fit, "tau", 7.0, 0.01);
    for delay in [-0.1, 17.9, f64::NAN] {
        let error = run(&columns, &identify.clone().with_input_delay(delay)).expect_err("no rows");
        assert!(matches!(error, IdentifyError::Delay { .. }), "{error}");
    }
}

#[test]
fn noise_is_said_to_be_noise() {
    let law = Law::new(1, 0, &[Feature::Sin(0)], &[-6.0]).expect("fits");
    let columns = simulate(&law, &[1e-9, 1e-9], 200, |_| 0.0, 0.1);
    let recording = read(&columns).angle("theta").load().expect("readable");
    match Identify::default().without_networks().run(&recording) {
        Ok(found) => assert!(found.to_string().starts_with("! "), "{found}"),
        Err(error) => assert!(matches!(error, IdentifyError::NothingFits { .. }), "{error}"),
    }
}

#[test]
fn channels_that_make_no_state() {
    let law = Law::new(1, 0, &[Feature::Sin(0)], &[-6.0]).expect("fits");
    let columns = simulate(&law, &[1.0], 60, |_| 0.0, 0.0);
    let message = |reader: RecordingReader| {
        let recording = reader.load().expect("readable");
        identify(&recording).expect_err("no state").to_string()
    };
    let error = message(read(&columns).state("theta"));
    assert!(error.contains("declare each coordinate as a position or an angle"), "{error}");
    let error = message(read(&columns).angle("theta").state("tau"));
    assert!(error.contains("1 positions, 0 velocities, 0 momenta and 1 other"), "{error}");
    let few = columns.each_ref().map(|column| column[..20].to_vec());
    let error = message(read(&few).angle("theta"));
    assert!(error.contains("at least 40 are needed"), "{error}");
    let held = read(&columns).angle("theta").load().expect("readable");
    assert!(Identify::default().with_inputs_between(Between::Held).run(&held).is_ok());
}
