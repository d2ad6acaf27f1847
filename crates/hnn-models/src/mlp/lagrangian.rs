//! A perceptron with one output as a Lagrangian: exact second derivatives, and their pull-back.
//!
//! *Forward.* The second derivatives of a perceptron along input directions u, w are a sum over
//! all hidden units, `D_u D_w L = sum_l sum (r_l * s2_l) z_l(u) z_l(w)`, with the cotangents
//! `r_l = dL/da_l` of one reverse pass and the preactivations' tangents `z_l(u)`. So the mass
//! matrix and the mixed term take n + 1 tangent passes, along each velocity and along
//! `(q_dot, 0)`, and no further reverse pass.
//!
//! *Pull-back.* `phi = D_e L + D_s D_t L` with `s = -(0, lambda)`, `t = (q_dot, q_ddot)` and
//! `e = (eta, 0)` is the mixed second derivative of L along a surface `x + s sigma + t tau + e
//! sigma tau`: a forward pass of four streams (value, two tangents, mixed) and one reverse pass of
//! each. The tangents along s and t are sums of recorded ones, and the mixed stream's cotangents
//! are the recorded `r_l`, `d_l = r_l * s1_l`. What is left, with `z` of s, t and st:
//!
//! `a_st = s1 * z_st + s2 * z_s * z_t`,
//! `zeta_s = rho_s * s1 + r * s2 * z_t`, `zeta_t = rho_t * s1 + r * s2 * z_s`,
//! `zeta = rho * s1 + s2 * (rho_s * z_s + rho_t * z_t + r * z_st) + r * s3 * z_s * z_t`,
//! `W_bar = zeta a^T + zeta_s a_s^T + zeta_t a_t^T + d a_st^T`.
//!
//! For a hidden layer: n + 3 matrix products forward and 8 in the pull-back.

use hnn_integrators::{FieldError, Scalar, ThetaBar, Workspace, compiled_here};

use super::elementwise::{add_triple_product, elementwise, product, scale};
use super::passes::{combine, unit_sums};
use super::{Mlp, linalg};
use crate::sections::sections;
use crate::{
    DifferentiableEnergy, DifferentiableLagrangian, EulerLagrange, Keep, LagrangianTerms,
    ModelError, MotionBars, Record,
};

/// The hidden quantities, each of `hidden units * B` numbers.
struct Sections<'a, T> {
    a: &'a mut [T],
    s1: &'a mut [T],
    s2: &'a mut [T],
    s3: &'a mut [T],
    r: &'a mut [T],
    d: &'a mut [T],
    /// Tangents along the n velocities, then along `(q_dot, 0)`.
    z: &'a mut [T],
    z_s: &'a mut [T],
    z_t: &'a mut [T],
    a_st: &'a mut [T],
    zeta_s: &'a mut [T],
    zeta_t: &'a mut [T],
    zeta: &'a mut [T],
    /// `widest * B` numbers.
    scratch: &'a mut [T],
    /// Directions in the input, D * B numbers each.
    s: &'a mut [T],
    t: &'a mut [T],
    e: &'a mut [T],
    /// Coefficients of s and t in the recorded directions, (n + 1) * B each.
    sigma: &'a mut [T],
    tau: &'a mut [T],
}

impl<T: Scalar> Mlp<T> {
    /// Numbers in the buffer for `n` velocities.
    fn lagrangian_len(&self, batch: usize, n: usize) -> usize {
        let hidden = (12 + n + 1) * self.hidden_units();
        (hidden + self.widest() + 3 * self.architecture.input_dim() + 2 * (n + 1)) * batch
    }

    fn lagrangian_sections<'a>(
        &self,
        batch: usize,
        n: usize,
        buffer: &'a mut [T],
    ) -> Sections<'a, T> {
        let hidden = self.hidden_units() * batch;
        let inputs = self.architecture.input_dim() * batch;
        let directions = (n + 1) * batch;
        let mut take = sections(buffer);
        Sections {
            a: take(hidden),
            s1: take(hidden),
            s2: take(hidden),
            s3: take(hidden),
            r: take(hidden),
            d: take(hidden),
            z: take((n + 1) * hidden),
            z_s: take(hidden),
            z_t: take(hidden),
            a_st: take(hidden),
            zeta_s: take(hidden),
            zeta_t: take(hidden),
            zeta: take(hidden),
            scratch: take(self.widest() * batch),
            s: take(inputs),
            t: take(inputs),
            e: take(inputs),
            sigma: take(directions),
            tau: take(directions),
        }
    }

    fn terms_of(
        &self,
        batch: usize,
        x: &[T],
        q_dot: &[T],
        terms: LagrangianTerms<'_, T>,
        keep: Keep<'_, T, Record<T>>,
    ) -> Result<(), FieldError> {
        let n = terms.check(self.architecture.input_dim(), batch, x, q_dot)?;
        let (buffer, _) = keep.split(batch, self.lagrangian_len(batch, n));
        let Sections { a, s1, s2, s3, r, d, z, zeta: a_dot, t, .. } =
            self.lagrangian_sections(batch, n, buffer);
        self.forward(batch, x, a, [s1, s2, s3]);
        self.reverse_output(batch, s1, [r, d], terms.gradient);
        let hidden = a.len();
        for k in 0..=n {
            t.fill(T::ZERO);
            if k < n {
                t[q_dot.len() + k * batch..][..batch].fill(T::ONE);
            } else {
                t[..q_dot.len()].copy_from_slice(q_dot);
            }
            let z = &mut z[k * hidden..(k + 1) * hidden];
            self.tangent(batch, t, a_dot, |units, z_dot| {
                z[units.clone()].copy_from_slice(z_dot);
                scale(z_dot, &s1[units]);
            });
        }
        // r * s2, for the sums over the units.
        product(a_dot, [r, s2]);
        let z = |k: usize| &z[k * hidden..(k + 1) * hidden];
        for i in 0..n {
            for j in i..n {
                let entry = &mut terms.mass[(i * n + j) * batch..][..batch];
                unit_sums(entry, [a_dot, z(i), z(j)]);
                terms
                    .mass
                    .copy_within((i * n + j) * batch..(i * n + j + 1) * batch, (j * n + i) * batch);
            }
            unit_sums(&mut terms.mixed[i * batch..(i + 1) * batch], [a_dot, z(i), z(n)]);
        }
        Ok(())
    }

    fn pull_terms_back(
        &self,
        x: &[T],
        residuals: &mut Record<T>,
        directions: &EulerLagrange<'_, T>,
        bars: MotionBars<'_, T>,
        mut theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        let batch = residuals.batch;
        let n = directions.check(self.architecture.input_dim(), batch, x, &bars)?;
        theta_bar.check(self.theta.len(), batch)?;
        let (buffer, ()) = residuals.recorded(self.lagrangian_len(batch, n))?;
        let mut sections = self.lagrangian_sections(batch, n, buffer);
        sections.set_directions(batch, directions);
        let Sections { a, s1, s2, s3, r, d, z, z_s, z_t, a_st, .. } = sections;
        let Sections { zeta_s, zeta_t, zeta, scratch, s, t, e, sigma, tau, .. } = sections;
        combine(z_s, z, sigma);
        combine(z_t, z, tau);
        self.tangent(batch, e, a_st, |units, z_st| {
            let (z_s, z_t) = (&z_s[units.clone()], &z_t[units.clone()]);
            let (s1, s2, s3) = (&s1[units.clone()], &s2[units.clone()], &s3[units.clone()]);
            elementwise(&mut zeta[units.clone()], [&r[units], s2, s3, z_s, z_t, z_st], |_, v| {
                let [r, s2, s3, z_s, z_t, z_st] = v;
                r * (s2 * z_st + s3 * z_s * z_t)
            });
            elementwise(z_st, [s1, s2, z_s, z_t], |z_st, [s1, s2, z_s, z_t]| {
                s1 * z_st + s2 * z_s * z_t
            });
        });
        // The two tangents: each leaves its share in the value's cotangents.
        let mut tangent_reverse = |bar: &mut [T], out: &mut [T], along: &[T], across: &[T]| {
            self.reverse(
                batch,
                scratch,
                bar,
                out,
                |rho| rho.fill(T::ZERO),
                |units, rho, out| {
                    let (s1, s2, r) = (&s1[units.clone()], &s2[units.clone()], &r[units.clone()]);
                    let (along, across) = (&along[units.clone()], &across[units.clone()]);
                    elementwise(out, [rho, s1, r, s2, across], |_, [rho, s1, r, s2, across]| {
                        rho * s1 + r * s2 * across
                    });
                    add_triple_product(&mut zeta[units], [s2, rho, along]);
                },
            );
        };
        tangent_reverse(bars.x, zeta_s, z_s, z_t);
        tangent_reverse(bars.x, zeta_t, z_t, z_s);
        bars.q_dot.copy_from_slice(&bars.x[..bars.q_dot.len()]);
        self.reverse_values(batch, scratch, bars.x, zeta, s1);
        if theta_bar.is_wanted() {
            scale(z_s, s1);
            scale(z_t, s1);
            self.add_weight_gradients(batch, x, a, zeta, &mut theta_bar);
            self.add_weight_gradients(batch, s, z_s, zeta_s, &mut theta_bar);
            self.add_weight_gradients(batch, t, z_t, zeta_t, &mut theta_bar);
            self.add_weight_gradients(batch, e, a_st, d, &mut theta_bar);
            self.add_bias_gradients(batch, zeta, &mut theta_bar);
            let (hidden, output) = self.split_layers();
            let last = hidden.last().map_or(&*e, |layer| &a_st[layer.units(batch)]);
            linalg::add_row_sums(theta_bar.part(output.weights()), last, batch);
        }
        Ok(())
    }
}

impl<T: Scalar> DifferentiableLagrangian<T> for Mlp<T> {
    type Residuals = Record<T>;

    fn check(&self, _velocities: usize) -> Result<(), ModelError> {
        DifferentiableEnergy::check(self)
    }

    fn lagrangian(
        &self,
        x: &[T],
        value: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.energy(x, value, workspace)
    }

    fn terms(
        &self,
        batch: usize,
        x: &[T],
        q_dot: &[T],
        terms: LagrangianTerms<'_, T>,
        keep: Keep<'_, T, Record<T>>,
    ) -> Result<(), FieldError> {
        type Method<T> = fn(
            &Mlp<T>,
            usize,
            &[T],
            &[T],
            LagrangianTerms<'_, T>,
            Keep<'_, T, Record<T>>,
        ) -> Result<(), FieldError>;
        compiled_here!(T => Method<T>, Mlp::terms_of)(self, batch, x, q_dot, terms, keep)
    }

    fn terms_vjp(
        &self,
        x: &[T],
        residuals: &mut Record<T>,
        directions: &EulerLagrange<'_, T>,
        bars: MotionBars<'_, T>,
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        type Method<T> = fn(
            &Mlp<T>,
            &[T],
            &mut Record<T>,
            &EulerLagrange<'_, T>,
            MotionBars<'_, T>,
            ThetaBar<'_, T>,
        ) -> Result<(), FieldError>;
        compiled_here!(T => Method<T>, Mlp::pull_terms_back)(
            self, x, residuals, directions, bars, theta_bar,
        )
    }
}

impl<T: Scalar> Sections<'_, T> {
    /// `s = -(0, lambda)`, `t = (q_dot, q_ddot)`, `e = (eta, 0)`, and the coefficients of s and t.
    fn set_directions(&mut self, batch: usize, directions: &EulerLagrange<'_, T>) {
        let EulerLagrange { q_dot, q_ddot, eta, lambda } = *directions;
        let m = q_dot.len();
        let velocities = lambda.len();
        self.s[..m].fill(T::ZERO);
        self.s[m..].iter_mut().zip(lambda).for_each(|(s, lambda)| *s = -*lambda);
        self.t[..m].copy_from_slice(q_dot);
        self.t[m..].copy_from_slice(q_ddot);
        self.e[..m].copy_from_slice(eta);
        self.e[m..].fill(T::ZERO);
        self.sigma[..velocities].copy_from_slice(&self.s[m..]);
        self.sigma[velocities..].fill(T::ZERO);
        self.tau[..velocities].copy_from_slice(q_ddot);
        self.tau[velocities..].fill(T::ONE);
        debug_assert_eq!(self.tau.len(), velocities + batch);
    }
}
