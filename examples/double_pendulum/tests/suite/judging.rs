//! The judge gives known fields what they deserve; the animation holds what it is given.

use hnn_double_pendulum_examples::{Contender, Verdict};
use hnn_examples::{Judge, Trial, tabulate, write_animation};
use hnn_integrators::{FnField, VectorField};
use hnn_systems::DoublePendulum;
use ndarray::{Array1, array};

fn contender(field: impl VectorField<f64> + 'static) -> Contender {
    Contender { key: "model", label: "model", field: Box::new(field) }
}

#[test]
fn rollouts_of_known_fields() {
    let system = DoublePendulum::default();
    let times = Array1::linspace(0.0, 4.0, 81).to_vec();
    let starts = array![[0.5, -0.3, 0.0, 0.0], [1.0, 0.8, 0.0, 0.0]];
    let judge = Judge::new(&system, starts, times, 1e-9).expect("solves");

    let judged = |contender| Verdict::new(&judge, &system, &contender).expect("judges");
    let truth = judged(contender(system));
    assert_eq!(truth.valid_times, [4.0, 4.0]);
    assert!(truth.energy_rms() < 1e-6 && truth.mean_drift() < 1e-6);

    // Gravity wrong by 5 %: the angles part early, the energy stays near.
    let heavier = DoublePendulum::new([1.0; 2], [1.0; 2], 9.8 * 1.05).expect("positive");
    let heavier = judged(contender(heavier));
    assert!(heavier.valid_time() > 0.3 && heavier.valid_time() < 3.0);
    assert!(heavier.energy_rms() > 0.05 && heavier.energy_rms() < 5.0);

    // A field that leaves all bounds within a second: no number, but an infinite error.
    let explosion = FnField::new(4, |_t, x: &[f64], dx: &mut [f64]| {
        dx.iter_mut().zip(x).for_each(|(dx, x)| *dx = 3.0 + x * x);
    });
    let explosion = judged(contender(explosion));
    assert!(explosion.valid_time() < 0.2);
    assert_eq!(explosion.energy_rms(), f64::INFINITY);
}

#[test]
fn tables_hold_the_mean_over_trials_of_a_key() {
    let trial = |key, value| Trial::new(key, key, vec![("error", value)]);
    let trials = [trial("a", 1.0), trial("b", 5.0), trial("a", 3.0)];
    let rows = tabulate(&trials, &["error"]).expect("numbers");
    let found: Vec<_> = rows.iter().map(|row| (row.model.as_str(), row.mean, row.n)).collect();
    assert_eq!(found, [("a", 2.0, 2), ("b", 5.0, 1)]);
}

#[test]
fn the_page_holds_the_motions() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("animation.html");
    let truth = array![[0.1, 0.2, 0.0, 0.0], [0.3, 0.4, 0.0, 0.0]];
    let broken = array![[0.5, 0.6, 0.0, 0.0], [f64::NAN, 0.0, 0.0, 0.0]];
    let motions = [("truth", truth.view()), ("broken", broken.view())];
    write_animation(&path, "two", 2, &motions, 0.05).expect("writes");
    let page = std::fs::read_to_string(&path).expect("reads");
    let data = page.split("const data = ").nth(1).and_then(|rest| rest.split(";\n").next());
    let data: serde_json::Value = serde_json::from_str(data.expect("data")).expect("JSON");
    assert_eq!(data["motions"][0]["angles"], serde_json::json!([[0.1, 0.2], [0.3, 0.4]]));
    assert_eq!(data["motions"][1]["angles"], serde_json::json!([[0.5, 0.6]]));
}
