# Recipes for https://just.systems; each calls a check of scripts/check, which needs no `just`.

# List the recipes.
default:
    @just --list

# Everything that continuous integration runs.
ci:
    .ci/run

# Format the sources.
fmt:
    cargo fmt --all

# Lints, no warnings allowed.
clippy:
    scripts/check clippy

# The reference documentation, no warnings allowed.
doc:
    scripts/check doc

# All tests of the native engine.
test:
    scripts/check test

# The tests of the kernels in a release build, with the widest vectors of this processor.
kernels:
    scripts/check kernels

# Every example, briefly, and its results.json.
examples-quick:
    scripts/check examples

# The C library and its example, against the same in Rust.
c:
    scripts/check c

# A program outside the workspace, with the packed libraries
outside:
    scripts/check outside

# Every benchmark, briefly.
bench-quick:
    scripts/check bench

# The book (with mdBook, where it is installed) and its links.
book:
    scripts/check book

# The tests of the wrapper that finds libtorch; no network.
wrapper:
    scripts/check wrapper

# The tests of the libtorch engine; finds or fetches libtorch.
tch-test:
    scripts/check tch

# The pages of examples in a browser.
browser:
    scripts/check browser

# The fuzz targets on their seeds.
fuzz-seeds:
    scripts/check fuzz
