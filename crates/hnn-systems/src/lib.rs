//! Mechanical systems with exact energies, and the data sets made of them.

mod hamiltonian;

pub use hamiltonian::Hamiltonian;
