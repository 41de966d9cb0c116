/* SPDX-License-Identifier: MIT */
/*
 * CRC-32C (Castagnoli), the checksum of the snappy framing format: RFC 3720,
 * section 12.1; the mask is that of snappy's framing_format.txt, section 3.
 *
 * The processor's own instruction is used where there is one (x86-64 with
 * SSE4.2, arm64 with the CRC extension), a table of 8 KiB elsewhere. All
 * give the same values on every machine, of either byte order.
 *
 * Lengths are in bytes. Nothing fails, nothing is allocated.
 * Threads: safe.
 */
#ifndef FORMAT_CRC32C_H
#define FORMAT_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/*
 * The CRC of `len` bytes; `crc` is 0, or the result for the bytes before
 * these. `buf` needs no alignment.
 */
uint32_t crc32c(uint32_t crc, const void *buf, size_t len);

/* The form in which a chunk stores its CRC. */
static inline uint32_t crc32c_mask(uint32_t crc)
{
	return ((crc >> 15) | (crc << 17)) + UINT32_C(0xa282ead8);
}

/* One of the ways to compute it, named for people. */
struct crc32c_impl {
	const char *name;
	uint32_t (*run)(uint32_t crc, const void *buf, size_t len);
};

/*
 * The ways that this processor can run, i = 0 being the one that crc32c()
 * takes; NULL past the last. For tests and benchmarks.
 */
const struct crc32c_impl *crc32c_impl(size_t i);

#endif
