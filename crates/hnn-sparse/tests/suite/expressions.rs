//! Exact derivatives, the compiled evaluator and the printed forms of expressions.

use hnn_sparse::{Argument, Expression, Library};
use ndarray::Array2;
use proptest::prelude::*;

/// Everything that a library may hold, over four coordinates.
fn everything() -> Library {
    let planar = vec![Argument::Coordinate(0), Argument::Coordinate(1)];
    let pair = vec![Argument::Difference(0, 1), Argument::Difference(2, 3)];
    Library::monomials(2, 1..=4)
        .and_then(|l| l.union(&Library::trigonometric(2, &[1.0, 2.5], 2)?))
        .and_then(|l| l.union(&Library::pair_distances(2, &[1, 2, 3, -1, -2, -3])?))
        .and_then(|l| l.union(&Library::radial(2, &[planar, pair], &[1, -1, -3, 4], true)?))
        .and_then(|l| {
            let sines = Library::trigonometric(2, &[1.0], 0)?;
            l.union(&sines.product(&Library::pair_distances(2, &[-1])?)?)
        })
        .and_then(|l| {
            let sign = Expression::tanh_of(-2.0, Argument::Difference(0, 3));
            let friction = Expression::friction(3, 0.7).into_iter().skip(1);
            l.union(&Library::from_features(2, friction.chain([sign]))?)
        })
        .expect("valid")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(16) })]
    #[test]
    fn gradients_and_hessians_are_derivatives(
        x in prop::array::uniform4(-1.5..1.5_f64),
    ) {
        prop_assume!((x[0] - x[1]).abs() > 0.2 && x[0].hypot(x[1]) > 0.2);
        let library = everything();
        let h = 1e-5;
        let shifted = |i: usize, by: f64| { let mut y = x; y[i] += by; y };
        let one = Array2::from_shape_vec((1, 4), x.to_vec()).expect("shape");
        let (values, gradients) = (
            library.values(one.view()).expect("valid"),
            library.gradients(one.view()).expect("valid"),
        );
        let hessians = library.hessians(&x).expect("valid");
        for (j, feature) in library.features().iter().enumerate() {
            let name = &library.names()[j];
            let size = 1.0 + feature.value(&x).abs();
            prop_assert!((values[[0, j]] - feature.value(&x)).abs() < 1e-13 * size, "{name}");
            for i in 0..4 {
                let slope = (feature.value(&shifted(i, h)) - feature.value(&shifted(i, -h))) / (2.0 * h);
                let exact = gradients[[0, j, i]];
                let scale = 1.0 + exact.abs().max(feature.value(&x).abs());
                prop_assert!((slope - exact).abs() < 1e-5 * scale, "d {name} / d {i}: {slope} {exact}");
                let derivative = feature.derivative(i);
                for k in 0..4 {
                    let slope = (derivative.value(&shifted(k, h)) - derivative.value(&shifted(k, -h))) / (2.0 * h);
                    let exact = hessians[[j, i, k]];
                    let scale = 1.0 + exact.abs().max(derivative.value(&x).abs());
                    prop_assert!((slope - exact).abs() < 1e-5 * scale, "d2 {name} / d {i} d {k}");
                    prop_assert!((exact - hessians[[j, k, i]]).abs() <= 1e-12 * scale);
                }
            }
        }
    }
}

#[test]
fn blocks_of_any_size_agree_with_single_states() {
    let library = everything();
    for batch in [1, 7, 8, 63, 64, 65, 200] {
        let x = Array2::from_shape_fn((batch, 4), |(b, i)| {
            0.3 + 0.7 * ((b * 4 + i) as f64).sin() + i as f64
        });
        let values = library.values(x.view()).expect("valid");
        for (b, state) in x.rows().into_iter().enumerate() {
            for (j, feature) in library.features().iter().enumerate() {
                let exact = feature.value(&state.to_vec());
                let error = (values[[b, j]] - exact).abs();
                assert!(
                    error < 1e-13 * (1.0 + exact.abs()),
                    "{} row {b} of {batch}",
                    library.names()[j]
                );
            }
        }
    }
}

#[test]
fn canonical_form() {
    let x = Expression::coordinate;
    assert!((x(0) - x(0)).is_zero());
    assert_eq!(Expression::sin(-2.0, 0), -1.0 * Expression::sin(2.0, 0));
    assert_eq!(x(0) * x(1) * x(0), x(0).powi(2) * x(1));
    assert_eq!((x(0) * x(1)).powi(-1) * x(0), x(1).powi(-1));
    let far = |a, b| Expression::distance(&[Argument::Difference(a, b)]);
    assert_eq!(far(0, 1), far(1, 0));
    assert!(Expression::constant(3.0).is_constant() && x(0).powi(0).is_constant());
}

#[test]
fn printed_forms() {
    let names = ["q1", "q2", "p1", "p2"];
    let distance = Expression::distance(&[Argument::Difference(0, 1)]);
    let h = 0.5 * Expression::coordinate(2).powi(2) - 2.0 * distance.powi(-1)
        + 1e-7 * Expression::sin(2.0, 0) * Expression::coordinate(3)
        - Expression::difference(0, 1).powi(3);
    assert_eq!(h.to_text(&names), "0.5 p1^2 + 1e-7 p2 sin(2 q1) - (q1 - q2)^3 - 2 |q1 - q2|^-1");
    assert_eq!(
        h.to_latex(&names),
        "0.5\\,p_{1}^{2} + 1 \\cdot 10^{-7}\\,p_{2}\\,\\sin\\left(2\\,q_{1}\\right) \
         - \\left(q_{1} - q_{2}\\right)^{3} - 2\\,\\left|q_{1} - q_{2}\\right|^{-1}"
    );
    assert_eq!(Expression::constant(0.0).to_text(&names), "0");
}
