//! Products of matrices against plain sums, at all edges of the tiles.

use hnn_integrators::Scalar;
use hnn_integrators::linalg::Product;
use hnn_integrators::simd::{Baseline, Kernel};

/// Numbers that look random, of size one.
fn numbers<T: Scalar>(count: usize, seed: usize) -> Vec<T> {
    (0..count).map(|i| T::from_f64(((i + seed) as f64 * 12.9898).sin())).collect()
}

/// Where a product goes: to the best instruction set, or to the baseline.
type Run<T> = fn(Product<'_, T>);

/// Runs each product of a layer of `m` units and `k` inputs on `n` states; compares with `f64` sums.
fn compare<T: Scalar>((m, k, n): (usize, usize, usize), run: Run<T>) {
    let (w, x, d) = (numbers::<T>(m * k, 1), numbers::<T>(k * n, 2), numbers::<T>(m * n, 3));
    let (bias, start) = (numbers::<T>(m, 4), numbers::<T>(m * k, 5));
    // What rounding may do to a sum in any order (Higham 2002, section 4.2).
    let close = |what: &str, given: T, begin: f64, (sum, size): (f64, f64), terms: usize| {
        let expected = begin + sum;
        let error = (given.to_f64() - expected).abs();
        let bound = T::EPSILON.to_f64() * (terms + 1) as f64 * (begin.abs() + size);
        assert!(error <= bound, "{what}, {m} x {k} x {n}, {}: {given}, {expected}", T::NAME);
    };
    // A sum of products, and that of their sizes.
    let sum = |terms: usize, term: &dyn Fn(usize) -> [T; 2]| -> (f64, f64) {
        let products = (0..terms).map(|i| term(i).map(T::to_f64)).map(|[a, b]| a * b);
        products.fold((0.0, 0.0), |(sum, size), product| (sum + product, size + product.abs()))
    };
    let mut out = vec![T::NAN; m * n];
    for bias in [None, Some(&bias[..])] {
        run(Product::affine(&mut out, &w, bias, &x, (m, k, n)));
        for (at, out) in out.iter().enumerate() {
            let (i, j) = (at / n, at % n);
            let expected = sum(k, &|l| [w[i * k + l], x[l * n + j]]);
            let begin = bias.map_or(0.0, |bias| bias[i].to_f64());
            close("affine", *out, begin, expected, k);
        }
    }
    let mut out = vec![T::NAN; k * n];
    run(Product::transposed(&mut out, &w, &d, (m, k, n)));
    for (at, out) in out.iter().enumerate() {
        let (i, j) = (at / n, at % n);
        close("transposed", *out, 0.0, sum(m, &|l| [w[l * k + i], d[l * n + j]]), m);
    }
    let mut out = start.clone();
    run(Product::add_outer(&mut out, &d, &x, (m, k, n)));
    for (at, out) in out.iter().enumerate() {
        let (i, j) = (at / k, at % k);
        let expected = sum(n, &|l| [d[i * n + l], x[j * n + l]]);
        close("outer", *out, start[at].to_f64(), expected, n);
    }
}

#[test]
fn products_are_sums() {
    let sizes = [1, 2, 5, 6, 7, 8, 9, 13, 16, 17, 47, 49, 129, 260];
    for (i, m) in sizes.into_iter().enumerate() {
        for (j, k) in sizes.into_iter().enumerate() {
            // All pairs of two, and all sizes of the third.
            let n = sizes[(i + 3 * j) % sizes.len()];
            compare::<f32>((m, k, n), f32::product);
            compare::<f64>((m, k, n), f64::product);
        }
    }
    for shape in [(3, 9, 5), (4, 20, 8), (9, 130, 17)] {
        compare::<f32>(shape, |product| product.run::<Baseline>());
        compare::<f64>(shape, |product| product.run::<Baseline>());
    }
}

#[test]
fn a_product_without_terms_is_its_start() {
    for shape in [(0, 3, 4), (3, 0, 4), (3, 4, 0), (0, 0, 0)] {
        compare::<f64>(shape, f64::product);
    }
}

#[test]
fn a_block_of_columns_has_the_numbers_of_the_whole() {
    let (m, k, n) = (21, 140, 100);
    let (w, x) = (numbers::<f32>(m * k, 1), numbers::<f32>(k * n, 2));
    let mut whole = vec![0.0; m * n];
    f32::product(Product::affine(&mut whole, &w, None, &x, (m, k, n)));
    for (begin, end) in [(0, 1), (1, 4), (5, 21), (30, 79), (52, 100)] {
        let size = end - begin;
        let block: Vec<f32> = x.chunks_exact(n).flat_map(|row| &row[begin..end]).copied().collect();
        let mut out = vec![0.0; m * size];
        f32::product(Product::affine(&mut out, &w, None, &block, (m, k, size)));
        let expected = whole.chunks_exact(n).flat_map(|row| &row[begin..end]);
        assert!(out.iter().eq(expected), "{begin} to {end}");
    }
}
