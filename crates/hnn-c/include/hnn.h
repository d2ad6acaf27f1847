/*
 * Trained models of mechanical systems: the field dx/dt = f(x, u), the energy H(x) and its gradient.
 *
 *     hnn_model *model;
 *     if (hnn_load("model.safetensors", &model) != HNN_OK) { puts(hnn_last_error()); exit(1); }
 *     double x[2] = {0.5, 0.0}, dx[2];
 *     hnn_field(model, x, 2, NULL, 0, dx, 2);
 *     hnn_free(model);
 *
 * Functions hnn_... compute in double, hnnf_... in float. A file saved in float is read by either; one saved in
 * double is read by hnn_load alone.
 *
 * A state is D = hnn_dim(model) numbers: positions and momenta [q, p], or positions and velocities [q, v] of a
 * Lagrangian network. A batch of B states is B * D numbers, a row a state; a single state is a batch of one. The
 * learned fields do not depend on time.
 *
 * Every function that returns an hnn_status may be given any lengths: those that do not fit are an error, which
 * names them. Of an array only as many numbers are read or written as its length says, and in an error nothing is
 * written (but for HNN_EVALUATION: results of other states may be). A null pointer is an error; of an array of length 0
 * it may be null. Arrays may be the same or overlap:
 * what is written may then be what the next 256 states are read from. Beyond that it is the caller's part that
 *
 *   - a pointer to a model is one that hnn_load or hnn_share gave, and that was not freed;
 *   - an array has as many numbers as its length says, and a path ends with a 0;
 *   - no other thread writes to an array during a call.
 *
 * A model may be used by any thread, but by one at a time: a call during another thread's call is an error
 * (HNN_BUSY). Threads that compute at once have a handle each, by hnn_share.
 *
 * Once a model has been called, calls with as many states or fewer allocate no memory.
 */
#ifndef HNN_H
#define HNN_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a call comes to. hnn_last_error says more. */
typedef enum hnn_status {
    HNN_OK = 0,
    HNN_POINTER = 1,    /* a pointer is null, or not aligned to its numbers */
    HNN_LENGTH = 2,     /* an array has a length that does not fit the model or the other arrays */
    HNN_FILE = 3,       /* a file cannot be read, or is no model file */
    HNN_NO_ENERGY = 4,  /* the model has no energy: it is a baseline */
    HNN_EVALUATION = 5, /* the model is not defined at a state */
    HNN_BUSY = 6,       /* another thread is in a call with this handle */
    HNN_PANIC = 7       /* a fault of the library, which is worth a report */
} hnn_status;

/* Why the last call of this thread that failed did so: a sentence in UTF-8, "" if none has failed. It is valid until
 * the next call of this thread that fails. Never null. */
const char *hnn_last_error(void);

/*
 * The functions, once for double and once for float.
 *
 * NAME_load(path, &model)
 *     Reads a model file of any kind and points `model` to it; to be freed by NAME_free. In an error `model` is null.
 *     The path is UTF-8 on Windows, any bytes elsewhere.
 *     HNN_POINTER, HNN_FILE.
 *
 * NAME_share(model, &other)
 *     Another handle of the same model, for another thread: weights are not copied. To be freed on its own, before or
 *     after the first. HNN_POINTER.
 *
 * NAME_free(model)
 *     Frees a handle; nothing if it is null. No call with it may be in progress.
 *
 * NAME_dim(model), NAME_inputs(model)
 *     Numbers D of a state, and K of the inputs u of a driven model (0 for most); 0 if `model` is null.
 *
 * NAME_has_energy(model)
 *     1 if the model has an energy, else 0; 0 if `model` is null.
 *
 * NAME_field(model, x, x_len, u, u_len, dx, dx_len)
 *     dx/dt = f(x, u) for B = x_len / D states: u_len = B * K, dx_len = x_len.
 *     HNN_POINTER, HNN_LENGTH, HNN_EVALUATION, HNN_BUSY.
 *
 * NAME_energy(model, x, x_len, energy, energy_len)
 *     H(x) for B = x_len / D states: energy_len = B.
 *     HNN_POINTER, HNN_LENGTH, HNN_NO_ENERGY, HNN_EVALUATION, HNN_BUSY.
 *
 * NAME_energy_gradient(model, x, x_len, gradient, gradient_len)
 *     The gradient of H for B = x_len / D states, laid out as x: gradient_len = x_len.
 *     As NAME_energy.
 */
#define HNN_DECLARE(NAME, REAL)                                                                      \
    typedef struct NAME##_model NAME##_model;                                                        \
    hnn_status NAME##_load(const char *path, NAME##_model **model);                                  \
    hnn_status NAME##_share(const NAME##_model *model, NAME##_model **other);                        \
    void NAME##_free(NAME##_model *model);                                                           \
    size_t NAME##_dim(const NAME##_model *model);                                                    \
    size_t NAME##_inputs(const NAME##_model *model);                                                 \
    int NAME##_has_energy(const NAME##_model *model);                                                \
    hnn_status NAME##_field(const NAME##_model *model, const REAL *x, size_t x_len, const REAL *u,   \
                            size_t u_len, REAL *dx, size_t dx_len);                                  \
    hnn_status NAME##_energy(const NAME##_model *model, const REAL *x, size_t x_len, REAL *energy,   \
                             size_t energy_len);                                                     \
    hnn_status NAME##_energy_gradient(const NAME##_model *model, const REAL *x, size_t x_len,        \
                                      REAL *gradient, size_t gradient_len);

HNN_DECLARE(hnn, double)
HNN_DECLARE(hnnf, float)

#ifdef __cplusplus
}
#endif

#endif
