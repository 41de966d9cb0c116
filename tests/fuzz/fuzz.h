/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share. A target is a file fuzz_NAME.c with the
 * function below. libFuzzer calls it with inputs that it makes up (`make
 * fuzz`), replay.c with those that are kept in corpus/NAME (`make check`).
 *
 * An input is first a few bytes that choose how the code is called, then
 * what the code is to read. A target must do the same for the same input.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Always 0: whatever the input, it is one that was tried. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever the input is. */
#define FUZZ_ASSERT(cond)                                                \
	do {                                                             \
		if (!(cond)) {                                           \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, \
				__LINE__, #cond);                        \
			abort();                                         \
		}                                                        \
	} while (0)

/* The input, taken from its front; past its end there are zeros. */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

static inline struct fuzz_input fuzz_begin(const uint8_t *data, size_t size)
{
	return (struct fuzz_input){ data, size };
}

/* A number of `size` bytes, little-endian. */
static inline uint64_t fuzz_number(struct fuzz_input *in, unsigned int size)
{
	uint64_t number = 0;

	for (unsigned int i = 0; i < size && in->left > 0; i++) {
		number |= (uint64_t)*in->at++ << 8 * i;
		in->left--;
	}
	return number;
}

/*
 * What is left of the input, in memory of just that size: to read past it
 * is seen. The caller frees it.
 */
static inline void *fuzz_rest(const struct fuzz_input *in)
{
	void *rest = malloc(in->left ? in->left : 1);

	FUZZ_ASSERT(rest);
	if (in->left > 0)
		memcpy(rest, in->at, in->left);
	return rest;
}

#endif
