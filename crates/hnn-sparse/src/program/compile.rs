//! From expressions to instructions, common factors computed once.

use std::collections::HashMap;

use super::{Instruction, Part, Program, Register};
use crate::expression::{Argument, Atom, Expression};

impl Program {
    /// Compiles expressions over states with `dim` coordinates. Every term of every expression is
    /// one part, in order.
    pub(crate) fn compile<'a>(
        dim: usize,
        outputs: impl IntoIterator<Item = &'a Expression>,
    ) -> Self {
        let mut compiler = Compiler::default();
        let (mut parts, mut starts) = (vec![], vec![0]);
        for expression in outputs {
            for term in &expression.terms {
                let register = compiler.monomial(&term.monomial);
                parts.push(Part { register, number: term.number });
            }
            starts.push(parts.len());
        }
        Self { dim, instructions: compiler.instructions, parts, starts }
    }
}

/// The power that `x^k` is made from, and `x^(k - part)`. Of low ones the one before, since
/// monomials of a library need every power anyway; of high ones half, so that few are needed.
fn part_of_power(k: i32) -> i32 {
    const LOW: u32 = 8;
    if k.unsigned_abs() <= LOW || k % 2 != 0 { k - k.signum() } else { k / 2 }
}

#[derive(Default)]
struct Compiler {
    instructions: Vec<Instruction>,
    loads: HashMap<usize, Register>,
    arguments: HashMap<Argument, Register>,
    squares: HashMap<Vec<Argument>, Register>,
    sines: HashMap<(u64, Argument), Register>,
    reciprocals: HashMap<Register, Register>,
    powers: HashMap<(Atom, i32), Register>,
    products: HashMap<(Register, Register), Register>,
    one: Option<Register>,
}

impl Compiler {
    fn push(&mut self, instruction: Instruction) -> Register {
        self.instructions.push(instruction);
        self.instructions.len() - 1
    }

    fn one(&mut self) -> Register {
        if let Some(one) = self.one {
            return one;
        }
        let one = self.push(Instruction::One);
        *self.one.insert(one)
    }

    /// The product of the powers, left to right, so that monomials share their beginnings.
    fn monomial(&mut self, monomial: &[(Atom, i32)]) -> Register {
        let mut product = None;
        for (atom, exponent) in monomial {
            let power = self.power(atom, *exponent);
            product = Some(product.map_or(power, |product| self.multiply(product, power)));
        }
        product.unwrap_or_else(|| self.one())
    }

    fn multiply(&mut self, a: Register, b: Register) -> Register {
        let key = (a.min(b), a.max(b));
        if let Some(&known) = self.products.get(&key) {
            return known;
        }
        let register = self.push(Instruction::Multiply(a, b));
        self.products.insert(key, register);
        register
    }

    fn power(&mut self, atom: &Atom, exponent: i32) -> Register {
        let key = (atom.clone(), exponent);
        if let Some(&known) = self.powers.get(&key) {
            return known;
        }
        let register = match (atom, exponent) {
            // Even powers of a distance need no root: r^2k = (r^2)^k.
            (Atom::Radius(arguments), k) if k % 2 == 0 => {
                let square = self.square(arguments);
                self.power_of(square, k / 2)
            }
            // r^-(2k+1) = r (r^2)^-(k+1).
            (Atom::Radius(arguments), k) if k != 1 => {
                let square = self.square(arguments);
                let root = self.power(atom, 1);
                let even = self.power_of(square, (k - 1) / 2);
                self.multiply(root, even)
            }
            (_, 1) => self.atom(atom),
            (_, k) if k > 1 => {
                let part = part_of_power(k);
                let (lower, rest) = (self.power(atom, part), self.power(atom, k - part));
                self.multiply(lower, rest)
            }
            (_, k) => {
                let base = self.power(atom, 1);
                self.power_of(base, k)
            }
        };
        self.powers.insert(key, register);
        register
    }

    /// An integer power of a register.
    fn power_of(&mut self, base: Register, exponent: i32) -> Register {
        match exponent {
            0 => self.one(),
            1 => base,
            -1 => {
                if let Some(&known) = self.reciprocals.get(&base) {
                    return known;
                }
                let register = self.push(Instruction::Reciprocal(base));
                self.reciprocals.insert(base, register);
                register
            }
            k => {
                let part = part_of_power(k);
                let (lower, rest) = (self.power_of(base, part), self.power_of(base, k - part));
                self.multiply(lower, rest)
            }
        }
    }

    fn atom(&mut self, atom: &Atom) -> Register {
        match atom {
            Atom::Linear(u) => self.argument(*u),
            Atom::Sin(k, u) => self.sine(k.0, *u),
            Atom::Cos(k, u) => self.sine(k.0, *u) + 1,
            Atom::Tanh(k, u) => {
                let argument = self.argument(*u);
                self.push(Instruction::Tanh(k.0, argument))
            }
            Atom::Radius(arguments) => {
                let square = self.square(arguments);
                self.push(Instruction::Sqrt(square))
            }
            Atom::LogRadius(arguments) => {
                let square = self.square(arguments);
                self.push(Instruction::HalfLog(square))
            }
            Atom::Custom(custom, derivative) => {
                self.push(Instruction::Custom(custom.clone(), *derivative))
            }
        }
    }

    fn load(&mut self, i: usize) -> Register {
        if let Some(&known) = self.loads.get(&i) {
            return known;
        }
        let register = self.push(Instruction::Load(i));
        self.loads.insert(i, register);
        register
    }

    fn argument(&mut self, u: Argument) -> Register {
        if let Some(&known) = self.arguments.get(&u) {
            return known;
        }
        let register = match u {
            Argument::Coordinate(a) => self.load(a),
            Argument::Input(k) => self.push(Instruction::Input(k)),
            Argument::Difference(a, b) => {
                let (a, b) = (self.load(a), self.load(b));
                self.push(Instruction::Subtract(a, b))
            }
        };
        self.arguments.insert(u, register);
        register
    }

    /// `u_1^2 + u_2^2 + ...`.
    fn square(&mut self, arguments: &[Argument]) -> Register {
        if let Some(&known) = self.squares.get(arguments) {
            return known;
        }
        let mut sum = None;
        for &u in arguments {
            let u = self.argument(u);
            sum = Some(match sum {
                None => self.multiply(u, u),
                Some(sum) => self.push(Instruction::SquareAdd(u, sum)),
            });
        }
        let register = sum.unwrap_or_else(|| self.one());
        self.squares.insert(arguments.to_vec(), register);
        register
    }

    fn sine(&mut self, k: f64, u: Argument) -> Register {
        let key = (k.to_bits(), u);
        if let Some(&known) = self.sines.get(&key) {
            return known;
        }
        let argument = self.argument(u);
        let register = self.push(Instruction::SinCos(k, argument));
        self.push(Instruction::Reserved);
        self.sines.insert(key, register);
        register
    }
}
