//! Settings, sizes and losses that least squares refuse.

use hnn_losses::{Loss, LossError, RowSelection};
use hnn_train::{EarlyStopping, EvidenceRule, Form, LeastSquares, StopTolerances, TrainError};

use super::reference::misra1a;
use super::squares::{Constants, squares};

#[test]
fn settings_are_checked() {
    let refused = |settings: LeastSquares, word: &str| {
        let mut model = Constants(vec![250.0_f64, 0.0005]);
        let mut loss = squares(vec![(14, 0)], misra1a);
        let error = settings.fit(&mut model, &mut loss, None, &mut ()).expect_err(word);
        assert!(error.to_string().contains(word), "{error}");
    };
    let new = || LeastSquares::new(5);
    for bad in [f64::NAN, -1.0, 1.0] {
        for tolerances in [
            StopTolerances { gradient: bad, ..StopTolerances::default() },
            StopTolerances { step: bad, ..StopTolerances::default() },
            StopTolerances { reduction: bad, ..StopTolerances::default() },
        ] {
            refused(new().with_tolerances(tolerances), "tolerance");
        }
    }
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        refused(new().with_damping(bad), "damping");
        let variances = vec![("squares".to_owned(), bad)];
        refused(new().with_evidence(EvidenceRule { variances, ..Default::default() }), "variance");
    }
    refused(new().with_evidence(EvidenceRule { every: 0, ..Default::default() }), "interval");
    refused(new().with_evidence(EvidenceRule { begin: 0.0, ..Default::default() }), "reduction");
    let variances = vec![("dust".to_owned(), 1.0)];
    refused(new().with_evidence(EvidenceRule { variances, ..Default::default() }), "dust");
    refused(new().with_form(Form::Dual).with_evidence(EvidenceRule::default()), "form");
    refused(new().with_form(Form::MatrixFree).with_evidence(EvidenceRule::default()), "form");
    refused(new().with_early_stopping(EarlyStopping::default()), "validation");
}

/// What no memory holds is refused before anything is evaluated.
#[test]
fn absurd_sizes() {
    let new = || LeastSquares::new(5);
    let too_large = |settings: LeastSquares, params: usize, groups: Vec<(usize, usize)>| {
        let mut loss = squares(groups, |_: &[f64], _: &[f64], _| panic!("evaluated"));
        let mut model = Constants(vec![1.0; params]);
        let error = settings.fit::<f64, _>(&mut model, &mut loss, None, &mut ());
        let error = error.expect_err("too large");
        assert!(matches!(error, TrainError::TooLarge(_)), "{error}");
        error.to_string()
    };
    let error = too_large(new().with_form(Form::Normal), 20_000, vec![(1, 0)]);
    assert!(error.starts_with("20000 parameters in normal equations would take 6"), "{error}");
    too_large(new().with_evidence(EvidenceRule::default()), 20_000, vec![(1, 0)]);
    too_large(new().with_form(Form::Dual), 1, vec![(20_000, 0)]);
    too_large(new(), 20, vec![(1 << 24, 0)]);
}

#[test]
fn parameters_that_no_residual_determines() {
    let mut model = Constants(vec![1.0; 20]);
    let mut flat = squares(vec![(14, 0)], |_: &[f64], _: &[f64], _| (1.0, vec![0.0; 20], vec![]));
    let error =
        LeastSquares::new(5).posterior(&mut model, &mut flat, None).expect_err("undetermined");
    assert!(matches!(error, TrainError::Undetermined { parameters: 20, residuals: 14 }), "{error}");
}

#[test]
fn losses_without_residuals() {
    struct Value;
    impl Loss<f64, Constants> for Value {
        fn name(&self) -> &str {
            "value"
        }
        fn value(&mut self, _: &Constants, _: RowSelection<'_>) -> Result<f64, LossError> {
            Ok(1.0)
        }
        fn value_and_gradient(
            &mut self,
            _: &Constants,
            _: RowSelection<'_>,
            _: f64,
            _: &mut [f64],
        ) -> Result<f64, LossError> {
            Ok(1.0)
        }
    }
    let mut model = Constants(vec![1.0; 20]);
    let error =
        LeastSquares::new(5).fit(&mut model, &mut Value, None, &mut ()).expect_err("no squares");
    assert!(matches!(error, TrainError::Loss { source: LossError::NoResiduals { .. }, .. }));
}
