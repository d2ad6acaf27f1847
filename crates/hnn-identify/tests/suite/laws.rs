//! Laws as fields.

use hnn_identify::{Feature, IdentifyError, Law};
use hnn_testing::{check_rows, check_vjp, lengths};

fn law() -> Law {
    let features = [
        Feature::One,
        Feature::Position(1),
        Feature::Cube(0),
        Feature::Sin(0),
        Feature::Cos(1),
        Feature::Velocity(0),
        Feature::Coulomb { of: 1, width: 0.5 },
        Feature::Drag(0),
        Feature::Input(0),
    ];
    let constants = Vec::from_iter((0..18).map(|k| 0.1 * f64::from(k) - 0.7));
    Law::new(2, 1, &features, &constants).expect("fits")
}

#[test]
fn pull_backs_are_those_of_differences() {
    let mut law = law();
    check_vjp(&mut law, 5, 1);
    check_rows(&law, 5, 1);
    lengths::field_is_checked(&law);
    lengths::differentiable_field_is_checked(&law);
}

#[test]
fn files_and_texts() {
    let law = law();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("law.json");
    law.save(&path).expect("written");
    assert_eq!(Law::load(&path).expect("read"), law);
    for bad in
        ["", "[]", "{\"degrees\":1,\"inputs\":0,\"features\":[{\"sin\":3}],\"constants\":[1.0]}"]
    {
        std::fs::write(&path, bad).expect("written");
        assert!(matches!(Law::load(&path), Err(IdentifyError::Law { .. })), "{bad}");
    }
    let swing = Law::new(1, 0, &[Feature::Sin(0), Feature::Drag(0)], &[-9.81, 2.5e-7]);
    let text = swing.expect("fits").text(&["theta".into()], &[]);
    assert_eq!(text, "theta'' = -9.81 sin(theta) + 2.5000e-7 |theta'| theta'");
}

#[test]
fn what_makes_no_law() {
    let refused = |degrees, features: &[Feature], constants: &[f64]| {
        assert!(Law::new(degrees, 1, features, constants).is_err(), "{features:?}");
    };
    refused(0, &[Feature::One], &[]);
    refused(1, &[], &[]);
    refused(1, &[Feature::Sin(1)], &[1.0]);
    refused(1, &[Feature::Input(1)], &[1.0]);
    refused(1, &[Feature::Coulomb { of: 0, width: 0.0 }], &[1.0]);
    refused(1, &[Feature::Coulomb { of: 0, width: f64::NAN }], &[1.0]);
    refused(1, &[Feature::One], &[f64::NAN]);
    refused(1, &[Feature::One], &[1.0, 2.0]);
}
