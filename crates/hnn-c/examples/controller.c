/*
 * A learned pendulum in the loop of a simulator and a controller: Runge-Kutta steps of a model file's field; where
 * the model has an input, a torque u = -3 q - p, computed once a step and held, brings the pendulum to rest.
 *
 *     cargo build --release -p hnn-c
 *     cc -O2 -I crates/hnn-c/include crates/hnn-c/examples/controller.c target/release/libhnn_c.a -lm -o controller
 *     ./controller model.safetensors
 *
 * The model is any of states (q, p) with no input or one; `cargo run --release -p hnn-c --example controller` writes
 * one and does the same in Rust.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "hnn.h"

/* Steps between two states that are printed, and how many of these there are. */
enum { STEPS = 1000, SHOWN = 10 };

static void check(hnn_status status) {
    if (status != HNN_OK) {
        fprintf(stderr, "controller: error: %s\n", hnn_last_error());
        exit(EXIT_FAILURE);
    }
}

/* x moved by h along dx. */
static void along(const double x[2], double h, const double dx[2], double out[2]) {
    for (int i = 0; i < 2; i++) out[i] = x[i] + h * dx[i];
}

/* One step of the classical Runge-Kutta method, the inputs held. */
static void step(const hnn_model *model, double h, const double *u, size_t inputs, double x[2]) {
    double k1[2], k2[2], k3[2], k4[2], y[2];
    check(hnn_field(model, x, 2, u, inputs, k1, 2));
    along(x, h / 2, k1, y);
    check(hnn_field(model, y, 2, u, inputs, k2, 2));
    along(x, h / 2, k2, y);
    check(hnn_field(model, y, 2, u, inputs, k3, 2));
    along(x, h, k3, y);
    check(hnn_field(model, y, 2, u, inputs, k4, 2));
    for (int i = 0; i < 2; i++) x[i] += h / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s MODEL\n", argv[0]);
        return EXIT_FAILURE;
    }
    hnn_model *model;
    check(hnn_load(argv[1], &model));
    size_t inputs = hnn_inputs(model);
    if (hnn_dim(model) != 2 || inputs > 1) {
        fprintf(stderr, "controller: error: the model's states are not (q, p), or it has several inputs\n");
        return EXIT_FAILURE;
    }
    double x[2] = {1.0, 0.0}, u = 0.0, seconds = 0.0;
    for (int shown = 0;; shown++) {
        double energy = 0.0;
        if (hnn_has_energy(model)) check(hnn_energy(model, x, 2, &energy, 1));
        printf("%.17g %.17g %.17g\n", x[0], x[1], energy);
        if (shown == SHOWN) break;
        clock_t begin = clock();
        for (int n = 0; n < STEPS; n++) {
            u = -3.0 * x[0] - x[1];
            step(model, 0.002, &u, inputs, x);
        }
        seconds += (double)(clock() - begin) / CLOCKS_PER_SEC;
    }
    hnn_free(model);
    fprintf(stderr, "%.3f microseconds a step\n", 1e6 * seconds / (STEPS * SHOWN));
    return EXIT_SUCCESS;
}
