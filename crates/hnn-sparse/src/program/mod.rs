//! Expressions compiled to straight-line code over blocks of states.
//!
//! Common factors and powers of all the expressions are computed once. The code runs on blocks of
//! lanes inside [`dispatch`](hnn_integrators::simd::dispatch): one instruction, many states.

mod compile;
mod run;

use crate::expression::{CustomAtom, Derivative};

/// A register: one number a state.
type Register = usize;

/// One instruction; the result of instruction `k` is register `k` (and `k + 1` for a sine, whose
/// cosine follows it). It reads registers below its own only.
#[derive(Debug, Clone)]
enum Instruction {
    /// The coordinate `x_i`.
    Load(usize),
    /// The input `u_k`.
    Input(usize),
    /// The number 1.
    One,
    Subtract(Register, Register),
    Multiply(Register, Register),
    /// `a^2 + b`.
    SquareAdd(Register, Register),
    /// `sin(k a)`, and `cos(k a)` in the register after.
    SinCos(f64, Register),
    /// The place that a [`Instruction::SinCos`] writes its cosine to.
    Reserved,
    /// `tanh(k a)`.
    Tanh(f64, Register),
    Sqrt(Register),
    Reciprocal(Register),
    /// `(ln a) / 2`.
    HalfLog(Register),
    Custom(CustomAtom, Derivative),
}

/// What of one output comes from one register.
#[derive(Debug, Clone, Copy)]
struct Part {
    register: Register,
    number: f64,
}

/// Compiled expressions, one output each.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    dim: usize,
    instructions: Vec<Instruction>,
    /// `output[k] = sum of number * register` over `parts[starts[k]..starts[k + 1]]`.
    parts: Vec<Part>,
    starts: Vec<usize>,
}

impl Program {
    /// Number of outputs.
    pub(crate) fn outputs(&self) -> usize {
        self.starts.len() - 1
    }

    /// Replaces the numbers of the parts, in the order of the outputs and their terms.
    pub(crate) fn set_numbers(&mut self, numbers: impl IntoIterator<Item = f64>) {
        for (part, number) in self.parts.iter_mut().zip(numbers) {
            part.number = number;
        }
    }

    /// Numbers the coordinates from `first` on, for states that lack those before.
    pub(crate) fn renumber(&mut self, first: usize) {
        for instruction in &mut self.instructions {
            if let Instruction::Load(i) = instruction {
                *i -= first;
            }
        }
    }

    /// Whether a value may be infinite or NaN at a finite state.
    pub(crate) fn is_singular(&self) -> bool {
        use Instruction::{Custom, HalfLog, Reciprocal};
        self.instructions.iter().any(|i| matches!(i, Custom(..) | HalfLog(_) | Reciprocal(_)))
    }
}
