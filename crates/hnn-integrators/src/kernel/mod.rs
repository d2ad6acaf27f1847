//! Computations over lanes of trajectories, which fields given by formulas offer.
//!
//! A formula is compiled, together with the method, into one loop for each instruction set: lanes
//! of trajectories are loaded, advanced and stored. A field is asked through one hidden method
//! ([`VectorField::kernel`](crate::VectorField::kernel)) for a [`Job`], and says whether it did it.

mod adaptive;
mod control;
mod eval;
mod explicit;
mod lanes;
mod march;
mod slots;
mod splitting;
mod state;

pub(crate) use adaptive::{AdaptiveSteps, Law, Part, do_part};
pub(crate) use control::Controller;
pub use eval::{eval, pull_back};
pub use lanes::{LaneKernel, dispatch_lanes};
pub(crate) use slots::{LEAST_SHARE, Slots};
pub(crate) use state::{WrittenOut, for_each_coordinate};
pub use state::{load, store};

use crate::method::Coefficients;
use crate::{AnalyticField, AnalyticSeparable, LaneState, Scalar, Splitting};

/// When the steps of a batch begin, and how long they are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Clock<'a, T> {
    /// Equal steps: the time of each row at step 0, its step size, and the step that comes first.
    Equal { t: &'a [T], dt: &'a [T], first: usize },
    /// `(steps + 1) * B` numbers: the time of each row at state 0, at state 1, and so on.
    Times(&'a [T]),
}

impl<T> Clock<'_, T> {
    /// Whether there is a time for each row at each of so many states.
    fn covers(&self, states: usize, batch: usize) -> bool {
        match self {
            Clock::Equal { t, dt, .. } => t.len() == batch && dt.len() == batch,
            Clock::Times(times) => times.len() == states.saturating_mul(batch),
        }
    }
}

/// What a field may do in one kernel: all rows, `B` of them, side by side in lanes.
///
/// States, slopes and cotangents are coordinate-major, one state after the other.
#[derive(Debug)]
pub struct Job<'a, T>(pub(crate) Work<'a, T>);

/// The kinds of jobs.
#[derive(Debug)]
pub(crate) enum Work<'a, T> {
    /// Steps of a method, forward or backward.
    March { scheme: Scheme<'a>, way: Way<'a, T> },
    /// Steps of an embedded pair, each trajectory with a size of its own.
    Adaptive(AdaptiveSteps<'a, T>),
}

/// A method that kernels can run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scheme<'a> {
    Explicit { method: Coefficients<'a>, classical: bool },
    Splitting(&'a Splitting),
}

/// Either way along the steps of a method.
#[derive(Debug)]
pub enum Way<'a, T> {
    /// The steps.
    Forward(Forward<'a, T>),
    /// Their discrete adjoint.
    Backward(Backward<'a, T>),
}

/// Steps of a method.
#[derive(Debug)]
pub struct Forward<'a, T> {
    pub(crate) clock: Clock<'a, T>,
    pub(crate) batch: usize,
    pub(crate) steps: usize,
    /// The first state; advanced in place, or followed by room for the states `1..=steps`, which
    /// are then filled in.
    pub(crate) states: &'a mut [T],
}

/// The way back along states that are known.
#[derive(Debug)]
pub struct Backward<'a, T> {
    pub(crate) clock: Clock<'a, T>,
    pub(crate) batch: usize,
    pub(crate) steps: usize,
    /// States `0..=steps`.
    pub(crate) states: &'a [T],
    /// The cotangent of each of the states `0..=steps` by itself; afterwards the first one is the
    /// total cotangent of the first state.
    pub(crate) states_bar: &'a mut [T],
}

/// Does the jobs that most runs are made of: steps of the classical method, and adaptive ones; says
/// whether it could.
pub fn run_essential<T: Scalar, F: AnalyticField + ?Sized>(
    field: &F,
    job: &mut Job<'_, T>,
) -> bool {
    let dim = <F::State<T> as LaneState<T>>::DIM;
    match &mut job.0 {
        Work::Adaptive(steps) => adaptive::run(field, steps),
        Work::March { scheme: Scheme::Explicit { classical: true, .. }, way } => {
            way.fits(dim) && explicit::march_classical(field, way)
        }
        _ => false,
    }
}

/// Does a job for a formula; says whether it could.
pub fn run<T: Scalar, F: AnalyticField + ?Sized>(field: &F, job: &mut Job<'_, T>) -> bool {
    let dim = <F::State<T> as LaneState<T>>::DIM;
    match &mut job.0 {
        Work::March { scheme: Scheme::Explicit { classical: true, .. }, way: Way::Forward(_) } => {
            run_essential(field, job)
        }
        Work::March { scheme: Scheme::Explicit { classical: true, .. }, way } => {
            way.fits(dim) && explicit::pull_back_classical(field, way)
        }
        Work::March { scheme: Scheme::Explicit { method, .. }, way } => {
            way.fits(dim) && explicit::march(field, *method, way)
        }
        _ => run_essential(field, job),
    }
}

/// Does a splitting method's job for a separable formula; says whether it could.
pub fn run_splitting<T: Scalar, F: AnalyticSeparable + ?Sized>(
    field: &F,
    job: &mut Job<'_, T>,
) -> bool {
    let dim = 2 * <F::Half<T> as LaneState<T>>::DIM;
    match &mut job.0 {
        Work::March { scheme: Scheme::Splitting(method), way } => {
            way.fits(dim) && splitting::march(field, method, way)
        }
        _ => false,
    }
}

impl<T> Way<'_, T> {
    /// Whether the slices hold whole states of dimension `dim`, with their times.
    fn fits(&self, dim: usize) -> bool {
        match self {
            Way::Forward(run) => {
                let len = dim * run.batch;
                let all = run.steps.saturating_add(1);
                let states = if run.states.len() == len { 1 } else { all };
                run.states.len() == states.saturating_mul(len) && run.clock.covers(all, run.batch)
            }
            Way::Backward(run) => {
                let len = dim * run.batch;
                let states = (run.steps + 1) * len;
                run.states_bar.len() == states
                    && run.states.len() == states
                    && run.clock.covers(run.steps + 1, run.batch)
            }
        }
    }
}

/// Compiles a formula's kernels in the crate that has the formula, instead of in every crate that
/// uses it: for `f64` those of all explicit methods and their gradients, for `f32` those of the
/// classical method and of adaptive ones. For the items of an `impl AnalyticField`.
///
/// `compile_kernels!(where used)` has the same kernels compiled in the crates that use them after all: for
/// a formula of a library that most of its users do without.
///
/// ```
/// use hnn_integrators::{AnalyticField, Lane, compile_kernels};
/// struct Spring;
/// impl AnalyticField for Spring {
///     compile_kernels!();
///     type State<L: Lane> = [L; 2];
///     #[inline(always)]
///     fn eval_lanes<L: Lane>(&self, _t: L, [q, p]: &[L; 2]) -> [L; 2] {
///         [*p, -*q]
///     }
/// }
/// ```
#[macro_export]
macro_rules! compile_kernels {
    () => {
        $crate::compile_kernels!(@ inline(never));
    };
    (where used) => {
        $crate::compile_kernels!(@ inline);
    };
    (@ $inline:meta) => {
        #[$inline]
        fn kernel_f32(&self, job: &mut $crate::kernel::Job<'_, f32>) -> bool {
            $crate::kernel::run_essential(self, job)
        }
        #[$inline]
        fn eval_f32(&self, t: &[f32], x: &[f32], dx: &mut [f32]) -> bool {
            $crate::kernel::eval(self, t, x, dx)
        }
        #[$inline]
        fn pull_back_f32(&self, t: &[f32], x: &[f32], v: &[f32], x_bar: &mut [f32]) -> bool {
            $crate::kernel::pull_back(self, t, x, v, x_bar)
        }
        #[$inline]
        fn kernel_f64(&self, job: &mut $crate::kernel::Job<'_, f64>) -> bool {
            $crate::kernel::run(self, job)
        }
        #[$inline]
        fn eval_f64(&self, t: &[f64], x: &[f64], dx: &mut [f64]) -> bool {
            $crate::kernel::eval(self, t, x, dx)
        }
        #[$inline]
        fn pull_back_f64(&self, t: &[f64], x: &[f64], v: &[f64], x_bar: &mut [f64]) -> bool {
            $crate::kernel::pull_back(self, t, x, v, x_bar)
        }
    };
}

/// As [`compile_kernels`], for the items of an `impl AnalyticSeparable`; likewise with `where used`.
#[macro_export]
macro_rules! compile_splitting_kernels {
    () => {
        $crate::compile_splitting_kernels!(@ inline(never));
    };
    (where used) => {
        $crate::compile_splitting_kernels!(@ inline);
    };
    (@ $inline:meta) => {
        #[$inline]
        fn splitting_kernel_f32(&self, job: &mut $crate::kernel::Job<'_, f32>) -> bool {
            $crate::kernel::run_splitting(self, job)
        }
        #[$inline]
        fn splitting_kernel_f64(&self, job: &mut $crate::kernel::Job<'_, f64>) -> bool {
            $crate::kernel::run_splitting(self, job)
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Baseline, Isa, instruction_set};
    use crate::{HEUN, Lane, RK4, Stepper, VELOCITY_VERLET};

    /// `H = (q^2 + p^2) / 2`.
    struct Spring;
    impl AnalyticField for Spring {
        compile_kernels!();
        type State<L: Lane> = [L; 2];
        #[inline(always)]
        fn eval_lanes<L: Lane>(&self, _t: L, [q, p]: &[L; 2]) -> [L; 2] {
            [*p, -*q]
        }
    }
    impl AnalyticSeparable for Spring {
        type Half<L: Lane> = [L; 1];
        #[inline(always)]
        fn velocity_lanes<L: Lane>(&self, p: &[L; 1]) -> [L; 1] {
            *p
        }
        #[inline(always)]
        fn force_lanes<L: Lane>(&self, _t: L, [q]: &[L; 1]) -> [L; 1] {
            [-*q]
        }
    }

    /// A kernel declines what does not go together, and touches nothing.
    fn declines(stepper: &impl Stepper<f64, Spring>) {
        // Without AVX2 all is declined.
        if cfg!(target_arch = "x86_64") && instruction_set() == <Baseline as Isa>::NAME {
            return;
        }
        let (t, dt, times) = ([0.0; 2], [0.1; 2], [0.5; 7]);
        let equal = Clock::Equal { t: &t, dt: &dt, first: 0 };
        // Good ones first: three states of two rows.
        for (good, moves, clock, batch, len) in [
            (true, true, equal, 2, 12),
            (true, false, Clock::Times(&times[..6]), 2, 12),
            (true, true, equal, 2, 4),
            (false, true, Clock::Times(&times), 2, 12),
            (false, true, Clock::Equal { t: &t, dt: &dt[..1], first: 0 }, 2, 12),
            (false, true, equal, 2, 11),
            (false, true, equal, 2, 0),
            (false, true, equal, 3, 12),
            (false, true, equal, 1, 6),
        ] {
            let (mut states, mut states_bar) = (vec![0.5; len], vec![0.5; len]);
            let run = Forward { clock, batch, steps: 2, states: &mut states };
            let case = format!("{clock:?}, {batch}, {len}");
            assert_eq!(stepper.kernel(&Spring, Way::Forward(run)), good, "{case}");
            assert_eq!(states.iter().any(|x| *x != 0.5), good && moves, "{case}");
            let whole = good && len == 12;
            for (enough, kept) in [(whole, len), (false, len.min(8))] {
                let (states, states_bar) = (&states[..kept], &mut states_bar[..]);
                let back = Backward { clock, batch, steps: 2, states, states_bar };
                assert_eq!(stepper.kernel(&Spring, Way::Backward(back)), enough, "{case}, {kept}");
            }
            assert_eq!(states_bar.iter().any(|x| *x != 0.5), whole, "{case}");
        }
        let (steps, mut states) = (usize::MAX, [0.5; 6]);
        let endless = Forward { clock: equal, batch: 2, steps, states: &mut states };
        assert!(!stepper.kernel(&Spring, Way::Forward(endless)));
    }

    #[test]
    fn kernels_decline_wrong_lengths() {
        declines(&RK4);
        declines(&HEUN);
        declines(&VELOCITY_VERLET);
    }
}
