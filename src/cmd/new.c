/* SPDX-License-Identifier: MIT */
/*
 * C++'s operator new for libsnappy, which asks for the tables of one call (174
 * KiB for a full block), gives them back at its end, and ends the process when
 * there is no memory for them.
 *
 * Here they are kept for the next call: one buffer for each of the calls that
 * run at the same time, so for each thread. A malloc that maps and unmaps what
 * is so large, as musl's does, would have the kernel clear it each time.
 *
 * When there is no memory, a call is lent a reserve instead. Calls then wait
 * for each other, and the image is written all the same. The reserve is zeros
 * that the program file does not hold: as long as it is not needed, it takes
 * no memory.
 *
 * This is of the command, not of the library: a C++ program that links the
 * library has its own.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* For a block of 64 KiB: 32 of table, 64 of input and 75 of output, in KiB. */
#define BUFFER_LEN (256u << 10)
/* Smaller things than tables are not worth a buffer. */
#define TABLE_MIN 4096u

/* A sanitizer sees what is written beside a table only in its own memory. */
#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define KEEP false
#else
#define KEEP true
#endif

struct buffer {
	atomic_bool taken;
	void *_Atomic bytes; /* stays when it is given back */
};

/* As many as there can be threads. */
static struct buffer buffers[64];

static _Alignas(64) uint8_t reserve[BUFFER_LEN];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* The one who waits for itself would wait for ever. */
static _Thread_local bool has_reserve;

/* operator new(size_t), operator delete(void *) and (void *, size_t) */
void *_Znwm(size_t len);
void _ZdlPv(void *p);
void _ZdlPvm(void *p, size_t len);

/* NULL if there is no memory, or more calls than buffers. */
static void *take_buffer(void)
{
	for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++) {
		struct buffer *b = &buffers[i];

		if (atomic_exchange(&b->taken, true))
			continue;
		if (!b->bytes)
			b->bytes = malloc(BUFFER_LEN);
		if (b->bytes)
			return b->bytes;
		atomic_store(&b->taken, false);
		return NULL;
	}
	return NULL;
}

static bool give_back(const void *p)
{
	for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++) {
		if (buffers[i].bytes == p) {
			atomic_store(&buffers[i].taken, false);
			return true;
		}
	}
	return false;
}

void *_Znwm(size_t len)
{
	void *p = NULL;

	if (KEEP && len >= TABLE_MIN && len <= BUFFER_LEN)
		p = take_buffer();
	if (!p)
		p = malloc(len > 0 ? len : 1);
	if (p)
		return p;
	if (len > BUFFER_LEN || has_reserve)
		abort();
	pthread_mutex_lock(&lock);
	has_reserve = true;
	return reserve;
}

void _ZdlPv(void *p)
{
	if (!p)
		return;
	if (p == reserve) {
		has_reserve = false;
		pthread_mutex_unlock(&lock);
		return;
	}
	if (!give_back(p))
		free(p);
}

void _ZdlPvm(void *p, size_t len)
{
	(void)len;
	_ZdlPv(p);
}
