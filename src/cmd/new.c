/* SPDX-License-Identifier: MIT */
/*
 * C++'s operator new for libsnappy, which ends the process when it has no
 * memory for the tables of one call. Here it is lent a reserve instead: the
 * calls then wait for each other, and the image is written all the same.
 *
 * The reserve is zeros that the program file does not hold: as long as it
 * is not needed, it takes no memory. This is of the command, not of the
 * library: a C++ program that links the library has its own.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* For a block of 64 KiB: 64 of table, 64 of input and 75 of output, in KiB. */
#define RESERVE_LEN (256u << 10)

static _Alignas(64) uint8_t reserve[RESERVE_LEN];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* The one who waits for itself would wait for ever. */
static _Thread_local bool has_reserve;

/* operator new(size_t), operator delete(void *) and (void *, size_t) */
void *_Znwm(size_t len);
void _ZdlPv(void *p);
void _ZdlPvm(void *p, size_t len);

void *_Znwm(size_t len)
{
	void *p = malloc(len > 0 ? len : 1);

	if (p)
		return p;
	if (len > RESERVE_LEN || has_reserve)
		abort();
	pthread_mutex_lock(&lock);
	has_reserve = true;
	return reserve;
}

void _ZdlPv(void *p)
{
	if (p != reserve) {
		free(p);
		return;
	}
	has_reserve = false;
	pthread_mutex_unlock(&lock);
}

void _ZdlPvm(void *p, size_t len)
{
	(void)len;
	_ZdlPv(p);
}
