/* SPDX-License-Identifier: MIT */
#include "format/crc32c.h"

#include <stdatomic.h>
#include <stdbool.h>

#if defined(__x86_64__)
#include <cpuid.h>
#define CRC_INSN "sse4.2"
#elif defined(__aarch64__)
#include <sys/auxv.h>
#define CRC_INSN "arm64 crc"
#endif

/*
 * A CRC is linear: the table entry of an index is the exclusive or of the
 * entries of the index's bits. So a table is written down by the entries of
 * the powers of two alone, and the compiler makes the constant array.
 */
#define T1(v, a) (v), (v) ^ (a)
#define T2(v, a, b) T1(v, a), T1((v) ^ (b), a)
#define T3(v, a, b, c) T2(v, a, b), T2((v) ^ (c), a, b)
#define T4(v, a, b, c, d) T3(v, a, b, c), T3((v) ^ (d), a, b, c)
#define T5(v, a, b, c, d, e) T4(v, a, b, c, d), T4((v) ^ (e), a, b, c, d)
#define T6(v, a, b, c, d, e, f) \
	T5(v, a, b, c, d, e), T5((v) ^ (f), a, b, c, d, e)
#define T7(v, a, b, c, d, e, f, g) \
	T6(v, a, b, c, d, e, f), T6((v) ^ (g), a, b, c, d, e, f)
#define T8(v, a, b, c, d, e, f, g, h) \
	T7(v, a, b, c, d, e, f, g), T7((v) ^ (h), a, b, c, d, e, f, g)

/* slices[k][i]: the register after byte i and k bytes of zero. */
static const uint32_t slices[8][256] = {
	{ T8(0, 0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f,
		0x20bd8ede, 0x417b1dbc, 0x82f63b78) },
	{ T8(0, 0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181,
		0x7f8be302, 0xff17c604, 0xfbc3faf9) },
	{ T8(0, 0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a,
		0xe144fb14, 0xc76580d9, 0x8b277743) },
	{ T8(0, 0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d,
		0xd725148b, 0xaba65fe7, 0x52a0c93f) },
	{ T8(0, 0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3,
		0x1ba8b557, 0x37516aae, 0x6ea2d55c) },
	{ T8(0, 0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e,
		0x85f4168d, 0x0e045beb, 0x1c08b7d6) },
	{ T8(0, 0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6,
		0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4) },
	{ T8(0, 0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4,
		0x0d006599, 0x1a00cb32, 0x34019664) },
};

/* Byte by byte in the wire's order; compilers make one load of it. */
static inline uint32_t load_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

static uint32_t run_table(uint32_t crc, const void *buf, size_t len)
{
	const uint8_t *p = buf;

	crc = ~crc;
	for (; len >= 8; p += 8, len -= 8) {
		uint32_t lo = crc ^ load_le32(p);
		uint32_t hi = load_le32(p + 4);

		crc = slices[7][lo & 0xff] ^ slices[6][lo >> 8 & 0xff] ^
		      slices[5][lo >> 16 & 0xff] ^ slices[4][lo >> 24] ^
		      slices[3][hi & 0xff] ^ slices[2][hi >> 8 & 0xff] ^
		      slices[1][hi >> 16 & 0xff] ^ slices[0][hi >> 24];
	}
	for (; len > 0; p++, len--)
		crc = crc >> 8 ^ slices[0][(crc ^ *p) & 0xff];
	return ~crc;
}

#ifdef CRC_INSN

/*
 * The instruction takes three cycles and a new one can begin in each, so
 * three independent streams are run side by side and joined at the end. The
 * joint moves a register over a stream's length of zero bytes, by table:
 * move[n][i] is the register's nibble n, of value i, so moved.
 *
 * Three long streams are a chunk of the framing format but for 16 bytes,
 * three short ones a page but for 16.
 */
#define LONG_STREAM UINT64_C(21840)
#define SHORT_STREAM UINT64_C(1360)

static const uint32_t move_long[8][16] = {
	{ T4(0, 0xb3ff0d4c, 0x62126c69, 0xc424d8d2, 0x8da5c755) },
	{ T4(0, 0x1ea7f85b, 0x3d4ff0b6, 0x7a9fe16c, 0xf53fc2d8) },
	{ T4(0, 0xef93f341, 0xdacb9073, 0xb07b5617, 0x651adadf) },
	{ T4(0, 0xca35b5be, 0x91871d8d, 0x26e24deb, 0x4dc49bd6) },
	{ T4(0, 0x9b8937ac, 0x32fe19a9, 0x65fc3352, 0xcbf866a4) },
	{ T4(0, 0x921cbbb9, 0x21d50183, 0x43aa0306, 0x8754060c) },
	{ T4(0, 0x0b447ae9, 0x1688f5d2, 0x2d11eba4, 0x5a23d748) },
	{ T4(0, 0xb447ae90, 0x6d632bd1, 0xdac657a2, 0xb060d9b5) },
};

static const uint32_t move_short[8][16] = {
	{ T4(0, 0x79113270, 0xf22264e0, 0xe1a8bf31, 0xc6bd0893) },
	{ T4(0, 0x889667d7, 0x14c0b95f, 0x298172be, 0x5302e57c) },
	{ T4(0, 0xa605caf8, 0x49e7e301, 0x93cfc602, 0x2273faf5) },
	{ T4(0, 0x44e7f5ea, 0x89cfebd4, 0x1673a159, 0x2ce742b2) },
	{ T4(0, 0x59ce8564, 0xb39d0ac8, 0x62d66361, 0xc5acc6c2) },
	{ T4(0, 0x8eb5fb75, 0x1887801b, 0x310f0036, 0x621e006c) },
	{ T4(0, 0xc43c00d8, 0x8d947741, 0x1ec49873, 0x3d8930e6) },
	{ T4(0, 0x7b1261cc, 0xf624c398, 0xe9a5f1c1, 0xd6a79573) },
};

/*
 * The instructions are written out, not built in: so a build for the oldest
 * processor of its kind holds them too, and no function needs a target of
 * its own, which would keep these from being inlined.
 */
#if defined(__x86_64__)

static bool have_insn(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_2);
}

static inline uint32_t insn_byte(uint32_t crc, uint8_t byte)
{
	__asm__("crc32b %1, %0" : "+r"(crc) : "q"(byte));
	return crc;
}

static inline uint32_t insn_word(uint32_t crc, uint64_t word)
{
	uint64_t wide = crc;

	__asm__("crc32q %1, %0" : "+r"(wide) : "r"(word));
	return (uint32_t)wide;
}

#else

static bool have_insn(void)
{
	return getauxval(AT_HWCAP) & HWCAP_CRC32;
}

static inline uint32_t insn_byte(uint32_t crc, uint8_t byte)
{
	__asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1"
		: "+r"(crc)
		: "r"((uint32_t)byte));
	return crc;
}

static inline uint32_t insn_word(uint32_t crc, uint64_t word)
{
	__asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1"
		: "+r"(crc)
		: "r"(word));
	return crc;
}

#endif

static inline uint64_t load_le64(const uint8_t *p)
{
	return (uint64_t)load_le32(p + 4) << 32 | load_le32(p);
}

/* One stream, without the inversions at either end. */
static inline uint32_t insn_bytes(uint32_t crc, const uint8_t *p, size_t len)
{
	for (; len >= 8; p += 8, len -= 8)
		crc = insn_word(crc, load_le64(p));
	for (; len > 0; p++, len--)
		crc = insn_byte(crc, *p);
	return crc;
}

static inline uint32_t move(const uint32_t table[8][16], uint32_t crc)
{
	uint32_t moved = 0;

	for (unsigned int n = 0; n < 8; n++)
		moved ^= table[n][crc >> 4 * n & 0xf];
	return moved;
}

/* Three streams of `len` bytes each (a multiple of 8) that lie in a row. */
static inline uint32_t insn_three(
	uint32_t crc, const uint8_t *p, size_t len, const uint32_t table[8][16])
{
	uint32_t second = 0, third = 0;

	for (const uint8_t *end = p + len; p < end; p += 8) {
		crc = insn_word(crc, load_le64(p));
		second = insn_word(second, load_le64(p + len));
		third = insn_word(third, load_le64(p + 2 * len));
	}
	return move(table, move(table, crc) ^ second) ^ third;
}

static uint32_t run_one(uint32_t crc, const void *buf, size_t len)
{
	return ~insn_bytes(~crc, buf, len);
}

static uint32_t run_three(uint32_t crc, const void *buf, size_t len)
{
	const uint8_t *p = buf;

	crc = ~crc;
	while (len >= 3 * LONG_STREAM) {
		crc = insn_three(crc, p, LONG_STREAM, move_long);
		p += 3 * LONG_STREAM;
		len -= 3 * LONG_STREAM;
	}
	while (len >= 3 * SHORT_STREAM) {
		crc = insn_three(crc, p, SHORT_STREAM, move_short);
		p += 3 * SHORT_STREAM;
		len -= 3 * SHORT_STREAM;
	}
	return ~insn_bytes(crc, p, len);
}

#endif

/* Best first; those that need the instruction before the one that does not. */
static const struct crc32c_impl impls[] = {
#ifdef CRC_INSN
	{ CRC_INSN ", three streams", run_three },
	{ CRC_INSN ", one stream", run_one },
#endif
	{ "table", run_table },
};

#define IMPL_COUNT (sizeof(impls) / sizeof(impls[0]))

const struct crc32c_impl *crc32c_impl(size_t i)
{
	size_t first = 0;

#ifdef CRC_INSN
	if (!have_insn())
		first = IMPL_COUNT - 1;
#endif
	return i < IMPL_COUNT - first ? &impls[first + i] : NULL;
}

uint32_t crc32c(uint32_t crc, const void *buf, size_t len)
{
	/*
	 * Threads that come here first together all store the same pointer,
	 * to constant data: relaxed order is enough.
	 */
	static _Atomic(const struct crc32c_impl *) chosen;
	const struct crc32c_impl *impl =
		atomic_load_explicit(&chosen, memory_order_relaxed);

	if (!impl) {
		impl = crc32c_impl(0);
		atomic_store_explicit(&chosen, impl, memory_order_relaxed);
	}
	return impl->run(crc, buf, len);
}
