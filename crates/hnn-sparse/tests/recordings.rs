//! Recordings with inputs, friction, torques, gaps and rates: the right values by formula.

#![allow(clippy::print_stdout)]

mod common;

use std::path::{Path, PathBuf};

use common::x;
use hnn_data::{DataSet, Recording};
use hnn_sparse::{
    Ansatz, Argument, Differentiation, Expression, Identification, IntegralForm, InverseDynamics,
    Library, Observations, Samples, Selection, SparseLagrangian, WeakForm,
};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// A pendulum's `L`: inertia, and `cos q`.
fn swing() -> InverseDynamics {
    Library::from_features(1, [0.5 * x(1).powi(2), Expression::cos(1.0, 0)])
        .and_then(|l| l.with_coordinate_names(["q", "v"]))
        .and_then(|l| InverseDynamics::new(&l))
        .expect("valid")
}

#[test]
fn the_motor_pendulum_out_of_its_torque() {
    let reader = Recording::read(file("motor_pendulum.csv")).time("time").angle("position");
    let recording = reader.velocity("velocity").input("torque").load().expect("readable");
    let observations = Observations::from(&recording.data_set().expect("valid"));
    for width in [0.0, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.2] {
        for w in [0.05, 0.1, 0.2, 0.4, 0.8] {
            let friction = &Expression::friction(1, w)[..2];
            let dynamics = swing().with_friction(0, friction.to_vec()).expect("valid");
            let form = if width > 0.0 { WeakForm::default().width(width).expect("valid") } else { WeakForm::default() };
            let equations = form.equations(&observations, &dynamics).expect("valid");
            let found = Selection::default().require(dynamics.names()).run(&equations).expect("found");
            print!("width {width} w {w} rows {}: ", found.rows);
            for t in &found.terms { print!("{:.4} +- {:.4}  ", t.coefficient, t.std_error); }
            println!("{:.3}", found.relative_residual);
        }
    }
}

#[test]
fn the_arm_out_of_its_torques() {
    let mut reader = Recording::read(file("arm_torques.csv")).trial("character").time("t");
    reader = reader.angle("q1").angle("q2").velocity("v1").velocity("v2");
    reader = reader.derivative("a1").derivative("a2").input("tau1").input("tau2");
    let data = reader.load().and_then(|r| r.data_set()).expect("readable");
    let bent = Expression::cos(1.0, 1);
    let second = Expression::sin(1.0, 0) * bent.clone() + Expression::cos(1.0, 0) * Expression::sin(1.0, 1);
    let products = [x(2).powi(2), x(2) * x(3), x(3).powi(2)];
    let mut features = products.to_vec();
    features.extend(products.map(|product| product * bent.clone()));
    features.extend([Expression::sin(1.0, 0), second]);
    let library = Library::from_features(2, features).and_then(|l| l.with_coordinate_names(["q1", "q2", "v1", "v2"])).expect("valid");
    let dynamics = InverseDynamics::new(&library).expect("valid");
    let samples = Samples::try_from(&data).expect("valid");
    let found = Selection::default().run(&samples.equations(&dynamics).expect("valid")).expect("found");
    println!("{found}");
    println!("M11 {}", found.model().mass(0, 0).to_text(found.model().coordinate_names()));
    println!("M12 {}", found.model().mass(0, 1).to_text(found.model().coordinate_names()));
    println!("M22 {}", found.model().mass(1, 1).to_text(found.model().coordinate_names()));
    println!("V {}", found.model().potential().to_text(found.model().coordinate_names()));
}

fn known(path: &str) -> Observations {
    let reader = Recording::read(file(path)).trial("trial").time("t").angle("q").momentum("p");
    let reader = if path.contains("torques") { reader.input("u") } else { reader };
    Observations::from(&reader.load().and_then(|r| r.data_set()).expect("readable"))
}

#[test]
fn dry_friction_is_finite_at_rest() {
    let energy = Library::from_features(1, [0.5 * x(1).powi(2), Expression::cos(1.0, 0)]).expect("valid");
    for width in [0.001, 0.003, 0.01, 0.02] {
        let ansatz = Ansatz::new(&energy).and_then(|a| a.with_force(0, Expression::friction(1, width))).expect("valid");
        for form in ["weak", "integral", "sg", "central"] {
        let o = known("dry_friction.csv");
        let equations = match form { "weak" => WeakForm::default().equations(&o, &ansatz), "integral" => IntegralForm::new(0.3).expect("ok").equations(&o, &ansatz),
            "sg" => Differentiation::savitzky_golay(0.1).samples(&o).and_then(|s| s.equations(&ansatz)),
            _ => Differentiation::Central.samples(&o).and_then(|s| s.equations(&ansatz)) }.expect("valid");
        let found = Selection::default().run(&equations);
        println!("{width} {form}");
        match found { Ok(f) => println!("{f}"), Err(e) => println!("{e}") }
        }
    }
}

#[test]
fn a_gain_out_of_two_torques() {
    let energy = Library::monomials(1, 1..=3).and_then(|l| l.union(&Library::trigonometric(1, &[1.0], 0)?)).expect("valid");
    let ansatz = Ansatz::new(&energy).and_then(|a| a.with_inputs(["u"])?.with_force(0, [Expression::input(0), x(0) * Expression::input(0)])).expect("valid");
    let o = known("two_torques.csv");
    let found = Selection::default().run(&WeakForm::default().equations(&o, &ansatz).expect("valid")).expect("found");
    println!("{found}");
    let found = Selection::default().run(&IntegralForm::new(0.5).expect("").equations(&o, &ansatz).expect("valid")).expect("found");
    println!("{found}");
    let found = Selection::default().run(&Differentiation::Central.samples(&o).and_then(|s| s.equations(&ansatz)).expect("valid")).expect("found");
    println!("{found}");
}
