//! Problems with certified solutions.

use hnn_train::{LeastSquares, Scaling};

use super::squares::{Constants, Residual, close, fit, squares};

/// NIST's Misra1a: `y = b1 (1 - exp(-b2 x))`.
const MISRA1A: [(f64, f64); 14] = [
    (10.07, 77.6),
    (14.73, 114.9),
    (17.94, 141.1),
    (23.93, 190.8),
    (29.61, 239.9),
    (35.18, 289.0),
    (40.02, 332.8),
    (44.82, 378.4),
    (50.76, 434.8),
    (55.05, 477.3),
    (61.01, 536.8),
    (66.40, 593.1),
    (75.47, 689.1),
    (81.78, 760.0),
];

pub(super) fn misra1a(b: &[f64], _: &[f64], i: usize) -> Residual {
    let (y, x) = MISRA1A[i];
    let decay = (-b[1] * x).exp();
    (b[0] * (1.0 - decay) - y, vec![1.0 - decay, b[0] * x * decay], vec![])
}

/// NIST's Thurber: a ratio of cubics.
const THURBER: [(f64, f64); 37] = [
    (80.574, -3.067),
    (84.248, -2.981),
    (87.264, -2.921),
    (87.195, -2.912),
    (89.076, -2.840),
    (89.608, -2.797),
    (89.868, -2.702),
    (90.101, -2.699),
    (92.405, -2.633),
    (95.854, -2.481),
    (100.696, -2.363),
    (101.060, -2.322),
    (401.672, -1.501),
    (390.724, -1.460),
    (567.534, -1.274),
    (635.316, -1.212),
    (733.054, -1.100),
    (759.087, -1.046),
    (894.206, -0.915),
    (990.785, -0.714),
    (1090.109, -0.566),
    (1080.914, -0.545),
    (1122.643, -0.400),
    (1178.351, -0.309),
    (1260.531, -0.109),
    (1273.514, -0.103),
    (1288.339, 0.010),
    (1327.543, 0.119),
    (1353.863, 0.377),
    (1414.509, 0.790),
    (1425.208, 0.963),
    (1421.384, 1.006),
    (1442.962, 1.115),
    (1464.350, 1.572),
    (1468.705, 1.841),
    (1447.894, 2.047),
    (1457.628, 2.200),
];

fn thurber(b: &[f64], _: &[f64], i: usize) -> Residual {
    let (y, x) = THURBER[i];
    let above = b[0] + x * (b[1] + x * (b[2] + x * b[3]));
    let below = 1.0 + x * (b[4] + x * (b[5] + x * b[6]));
    let value = above / below;
    let of_above = [1.0, x, x * x, x * x * x].map(|power| power / below);
    let of_below = [x, x * x, x * x * x].map(|power| -value * power / below);
    (value - y, [&of_above[..], &of_below].concat(), vec![])
}

#[test]
fn nist_s_certified_values() {
    let b = [2.389_421_291_8e2, 5.501_564_318_1e-4];
    let errors = [2.707_007_524_1, 7.266_868_843_6e-6];
    for start in [[500.0, 0.0001], [250.0, 0.0005]] {
        let mut loss = squares(vec![(1, 0); 14], misra1a);
        let settings = LeastSquares::new(300).with_scaling(Scaling::Diagonal);
        let (theta, record) = fit::<f64>(&settings, &start, &mut loss);
        close(&theta, &b, 1e-6);
        close(&[record.final_loss()], &[1.245_513_889_4e-1], 1e-9);
        assert!(record.stopped_early(), "{:?}", record.stop);
        let mut model = Constants(theta);
        let posterior = settings.posterior(&mut model, &mut loss, None).expect("determined");
        close(&posterior.standard_errors().to_vec(), &errors, 1e-5);
    }
    let b = [
        1.288_139_680_0e3,
        1.491_079_253_5e3,
        5.832_383_687_7e2,
        7.541_664_429_1e1,
        9.662_950_286_4e-1,
        3.979_728_579_7e-1,
        4.972_729_734_9e-2,
    ];
    let errors = [
        4.664_796_334_4,
        3.957_115_608_6e1,
        2.869_869_610_2e1,
        5.567_537_027_0,
        3.133_334_068_7e-2,
        1.498_492_819_8e-2,
        6.584_234_462_3e-3,
    ];
    for start in [
        [1000.0, 1000.0, 400.0, 40.0, 0.7, 0.3, 0.03],
        [1300.0, 1500.0, 500.0, 75.0, 1.0, 0.4, 0.05],
    ] {
        let mut loss = squares(vec![(37, 0)], thurber);
        let settings = LeastSquares::new(300).with_scaling(Scaling::Diagonal);
        let (theta, record) = fit::<f64>(&settings, &start, &mut loss);
        close(&theta, &b, 1e-6);
        close(&[record.final_loss()], &[5.642_708_239_7e3], 1e-9);
        let mut model = Constants(theta);
        let posterior = settings.posterior(&mut model, &mut loss, None).expect("determined");
        close(&posterior.standard_errors().to_vec(), &errors, 1e-4);
    }
}
