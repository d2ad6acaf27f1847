//! The instructions, run over blocks of lanes.

use hnn_integrators::simd::{Isa, Kernel, dispatch};
use hnn_integrators::{Lane, Scalar, Wide, Workspace, compiled_here};

use super::{Instruction, Program};

/// States that one instruction works on at a time: enough to hide the cost of reading it, few
/// enough that all registers stay in the first-level cache.
const CHUNK: usize = 64;
/// The same for what is left of a block, and for single states.
const SMALL_CHUNK: usize = 8;
/// Lanes side by side: two vector registers of AVX2, one of AVX-512.
const LANES: usize = 8;

impl Program {
    /// Evaluates every expression at `batch` states.
    ///
    /// `x` holds `dim * batch` numbers, `u` those of the inputs, and `out` `outputs * batch`, all
    /// coordinate-major.
    pub(crate) fn run<T: Scalar>(
        &self,
        batch: usize,
        [x, u]: [&[T]; 2],
        out: &mut [T],
        workspace: &mut Workspace<T>,
    ) {
        let (registers, _) = workspace.split(self.instructions.len() * CHUNK);
        let run = Run { program: self, batch, x, u, out, registers };
        compiled_here!(T => fn(Run<'_, T>), |run| dispatch(run))(run);
    }
}

struct Run<'a, T> {
    program: &'a Program,
    batch: usize,
    x: &'a [T],
    u: &'a [T],
    out: &'a mut [T],
    registers: &'a mut [T],
}

impl<T: Scalar> Kernel for Run<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(mut self) {
        let mut row = 0;
        while row < self.batch {
            if self.batch - row >= CHUNK {
                self.chunk::<I, CHUNK>(row);
                row += CHUNK;
            } else {
                self.chunk::<I, SMALL_CHUNK>(row);
                row += SMALL_CHUNK;
            }
        }
    }
}

impl<T: Scalar> Run<'_, T> {
    /// Runs the program on `C` states from `row` on, or as many as there are.
    #[inline(always)]
    fn chunk<I: Isa, const C: usize>(&mut self, row: usize) {
        let rows = C.min(self.batch - row);
        for (k, instruction) in self.program.instructions.iter().enumerate() {
            let (before, after) = self.registers.split_at_mut(k * C);
            let register = |r: usize| &before[r * C..][..C];
            let target = &mut after[..C];
            match instruction {
                Instruction::Load(i) | Instruction::Input(i) => {
                    let is_input = matches!(instruction, Instruction::Input(_));
                    let lanes = if is_input { self.u } else { self.x };
                    let source = &lanes[i * self.batch + row..][..rows];
                    target[..rows].copy_from_slice(source);
                    // Places beyond the last state repeat it: no foreign NaN, no slow numbers.
                    target[rows..].fill(source[rows - 1]);
                }
                Instruction::One => target.fill(T::ONE),
                Instruction::Reserved => {}
                Instruction::Subtract(a, b) => {
                    binary::<T, I, C>(register(*a), register(*b), target, |a, b| a - b);
                }
                Instruction::Multiply(a, b) => {
                    binary::<T, I, C>(register(*a), register(*b), target, |a, b| a * b);
                }
                Instruction::SquareAdd(a, b) => {
                    binary::<T, I, C>(register(*a), register(*b), target, |a, b| a.mul_add(a, b));
                }
                Instruction::SinCos(k, a) => {
                    let (sine, cosine) = after[..2 * C].split_at_mut(C);
                    let k = Wide::<T, LANES, I>::constant(*k);
                    for at in (0..C).step_by(LANES) {
                        let (s, c) = (k * Wide::load(&register(*a)[at..])).sin_cos();
                        s.store(&mut sine[at..]);
                        c.store(&mut cosine[at..]);
                    }
                }
                Instruction::Tanh(k, a) => {
                    let k = Wide::<T, LANES, I>::constant(*k);
                    unary::<T, I, C>(register(*a), target, |a| (k * a).tanh());
                }
                Instruction::Sqrt(a) => unary::<T, I, C>(register(*a), target, Lane::sqrt),
                Instruction::Reciprocal(a) => {
                    unary::<T, I, C>(register(*a), target, |a| Wide::splat(T::ONE) / a);
                }
                Instruction::HalfLog(a) => {
                    unary::<T, I, C>(register(*a), target, |a| a.ln() * Wide::constant(0.5));
                }
                Instruction::Custom(custom, derivative) => {
                    let mut state = vec![0.0; self.program.dim];
                    for lane in 0..rows {
                        for (i, coordinate) in state.iter_mut().enumerate() {
                            *coordinate = self.x[i * self.batch + row + lane].to_f64();
                        }
                        target[lane] = T::from_f64(custom.value(*derivative, &state));
                    }
                    let last = target[rows - 1];
                    target[rows..].fill(last);
                }
            }
        }
        self.store::<I, C>(row, rows);
    }

    /// Sums the parts of every output.
    #[inline(always)]
    fn store<I: Isa, const C: usize>(&mut self, row: usize, rows: usize) {
        for k in 0..self.program.outputs() {
            let parts = &self.program.parts[self.program.starts[k]..self.program.starts[k + 1]];
            let target = &mut self.out[k * self.batch + row..][..rows];
            for at in (0..rows).step_by(LANES) {
                let mut sum = Wide::<T, LANES, I>::splat(T::ZERO);
                for part in parts {
                    let value = Wide::load(&self.registers[part.register * C + at..]);
                    sum = value.mul_add(Wide::constant(part.number), sum);
                }
                if rows - at >= LANES {
                    sum.store(&mut target[at..]);
                } else {
                    target[at..].copy_from_slice(&sum.0[..rows - at]);
                }
            }
        }
    }
}

#[inline(always)]
fn unary<T: Scalar, I: Isa, const C: usize>(
    a: &[T],
    target: &mut [T],
    f: impl Fn(Wide<T, LANES, I>) -> Wide<T, LANES, I>,
) {
    for at in (0..C).step_by(LANES) {
        f(Wide::load(&a[at..])).store(&mut target[at..]);
    }
}

#[inline(always)]
fn binary<T: Scalar, I: Isa, const C: usize>(
    a: &[T],
    b: &[T],
    target: &mut [T],
    f: impl Fn(Wide<T, LANES, I>, Wide<T, LANES, I>) -> Wide<T, LANES, I>,
) {
    for at in (0..C).step_by(LANES) {
        f(Wide::load(&a[at..]), Wide::load(&b[at..])).store(&mut target[at..]);
    }
}
