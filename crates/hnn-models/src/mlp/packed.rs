//! Weights laid out for single states.

use std::sync::OnceLock;

use hnn_integrators::Scalar;

use super::Layer;

/// A row has a multiple of so many numbers, and begins on a boundary of so many: no register that is
/// loaded straddles two cache lines, of which twice as many would have to be read.
pub(super) const LINE: usize = 16;

/// Numbers of a row of `cols` weights.
pub(super) const fn stride(cols: usize) -> usize {
    cols.next_multiple_of(LINE)
}

/// The weights of all layers, rows filled up with 0, made when a single state first asks for them.
///
/// It holds nothing that the parameters do not.
#[derive(Debug, Default)]
pub(super) struct Packed<T>(OnceLock<Aligned<T>>);

#[derive(Debug)]
struct Aligned<T> {
    numbers: Vec<T>,
    /// Where the first row begins, on a boundary.
    begin: usize,
}

impl<T: Scalar> Packed<T> {
    /// The rows of layer `index`.
    pub(super) fn rows(&self, theta: &[T], layers: &[Layer], index: usize) -> &[T] {
        let Aligned { numbers, begin } = self.0.get_or_init(|| Aligned::of(theta, layers));
        let begin = begin + layers[..index].iter().map(len).sum::<usize>();
        &numbers[begin..begin + len(&layers[index])]
    }

    /// Takes new parameters over, where some have been packed.
    pub(super) fn update(&mut self, theta: &[T], layers: &[Layer]) {
        if let Some(aligned) = self.0.get_mut() {
            aligned.fill(theta, layers);
        }
    }
}

/// Numbers of a layer.
const fn len(layer: &Layer) -> usize {
    layer.rows * stride(layer.cols)
}

impl<T: Scalar> Aligned<T> {
    fn of(theta: &[T], layers: &[Layer]) -> Self {
        let all = layers.iter().map(len).sum::<usize>();
        let numbers = vec![T::ZERO; LINE + all];
        // At most one line, but for systems that cannot tell.
        let begin = numbers.as_ptr().align_offset(LINE * size_of::<T>()).min(LINE);
        let mut aligned = Self { numbers, begin };
        aligned.fill(theta, layers);
        aligned
    }

    fn fill(&mut self, theta: &[T], layers: &[Layer]) {
        let mut rest = &mut self.numbers[self.begin..];
        for layer in layers {
            let (own, after) = rest.split_at_mut(len(layer));
            let rows = own.chunks_exact_mut(stride(layer.cols));
            for (row, weights) in rows.zip(theta[layer.weights()].chunks_exact(layer.cols)) {
                row[..layer.cols].copy_from_slice(weights);
            }
            rest = after;
        }
    }
}

/// A copy packs its own when it is asked: where its memory is aligned is its own affair.
impl<T> Clone for Packed<T> {
    fn clone(&self) -> Self {
        Self(OnceLock::new())
    }
}

impl<T> PartialEq for Packed<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
