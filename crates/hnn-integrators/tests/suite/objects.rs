//! Fields behind objects that train have the numbers of the fields themselves.

use hnn_integrators::{
    Adjoint, At, DifferentiableField, DualField, FieldObject, FixedStep, Lane, Parameters, RK4,
    VectorField,
};
use ndarray::{Array2, array};

use crate::common::Pendulum;

/// States of a rollout, and its gradient by the start and the parameters.
fn numbers(field: &impl DifferentiableField<f64>) -> [Array2<f64>; 3] {
    let x0 = array![[0.4, -0.1], [1.2, 0.3], [-0.7, 0.9]];
    let run = FixedStep::count(RK4, 7).with_save_every(7).run(field, (0.0, 0.5), x0.view());
    let gradient = Adjoint::count(RK4, 7).run(field, (0.0, 0.5), x0.view(), |_, x, mut x_bar| {
        x_bar += &x;
    });
    let (run, gradient) = (run.expect("run"), gradient.expect("gradient"));
    let last = run.last().to_owned();
    let theta_bar = Array2::from_shape_vec((1, gradient.theta_bar.len()), gradient.theta_bar);
    let theta_bar = theta_bar.expect("one row");
    [last, gradient.start_bar, theta_bar]
}

#[test]
fn an_object_has_the_numbers_of_its_field() {
    let friction = || {
        DualField::new([2.0, 0.3], |t, [q, p]: [_; 2], [a, c]| {
            [p, -a * q.sin() - c * p + t.cos() * Lane::constant(0.1)]
        })
    };
    let expected = numbers(&friction());
    let boxed: Box<dyn FieldObject<f64>> = Box::new(friction());
    assert_eq!(numbers(&boxed), expected);
    // An object in the place of a field, once more.
    let twice: Box<dyn FieldObject<f64>> = Box::new(boxed);
    assert_eq!(numbers(&twice), expected);
    let mut own = friction();
    let borrowed: &mut dyn FieldObject<f64> = &mut own;
    assert_eq!(numbers(&borrowed), expected);
}

#[test]
fn an_object_has_the_kernel_of_its_field() {
    let boxed: Box<dyn FieldObject<f64>> = Box::new(Pendulum);
    assert_eq!(numbers(&boxed), numbers(&Pendulum));
}

#[test]
fn an_object_hands_on_its_parameters() {
    let mut own = DualField::with_inputs([1.0], |_t, [x]: [_; 1], [u]: [_; 1], [k]| [u - k * x]);
    let mut field: &mut dyn FieldObject<f64> = &mut own;
    assert_eq!(
        (field.dim(), VectorField::inputs(&field), Parameters::num_params(&field)),
        (1, 1, 1)
    );
    Parameters::set_params(&mut field, &[3.0]).expect("one");
    assert!(Parameters::set_params(&mut field, &[3.0; 2]).is_err());
    let (at, mut dx) = (At { t: &[0.0], u: &[0.5] }, [0.0]);
    VectorField::eval(&field, at, &[2.0], &mut dx, &mut Default::default()).expect("eval");
    assert_eq!(dx, [0.5 - 3.0 * 2.0]);
    let mut theta = [0.0];
    own.copy_params(&mut theta).expect("one");
    assert_eq!(theta, [3.0]);
}
