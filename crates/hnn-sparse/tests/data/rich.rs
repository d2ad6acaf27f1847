/// The energy H of the state x = [q1, q2, p1, p2].
pub fn energy(x: &[f64; 4]) -> f64 {
    0.3_f64 * x[0] * x[1] * x[3] + 0.5_f64 * x[2].powi(2) - 2.0_f64 * (1.5_f64 * x[0]).cos() + 1.5_f64 * ((x[0] - x[1]).powi(2)).sqrt().powi(-1)
}

/// The time derivative of the state x = [q1, q2, p1, p2].
pub fn field(x: &[f64; 4]) -> [f64; 4] {
    [
        x[2],
        0.3_f64 * x[0] * x[1],
        -0.05_f64 * x[0].powi(2) * x[2] - 0.3_f64 * x[1] * x[3] - 0.1_f64 * x[2] + 1.5_f64 * (x[0] - x[1]) * ((x[0] - x[1]).powi(2)).sqrt().powi(-3) - 3.0_f64 * (1.5_f64 * x[0]).sin(),
        -0.3_f64 * x[0] * x[3] - 1e-12_f64 * x[0].powi(2) * x[3] - 0.2_f64 * x[3] - 1.5_f64 * (x[0] - x[1]) * ((x[0] - x[1]).powi(2)).sqrt().powi(-3),
    ]
}
