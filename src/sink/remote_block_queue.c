/* SPDX-License-Identifier: MIT */
/* The blocks that are under way: each from when it is free to when it is taken.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "sink/remote_blocks.h"
#include "sink/remote_sink.h"

static ssize_t block_read(
	void *ctx, uint64_t at, void *buf, size_t size, struct avml_error *err)
{
	const struct block *block = ctx;

	if (!block->bytes)
		return remote_file_read(&block->blocks->file,
			block->offset + at, buf, size, err);
	memcpy(buf, block->bytes + at, size);
	return (ssize_t)size;
}

void blocks_lose_checksum(struct blocks *b, const char *why)
{
	const struct avml_remote *remote = b->remote;
	char text[700];

	checksum_free(b->checksum);
	b->checksum = NULL;
	if (!remote->notice)
		return;
	snprintf(text, sizeof(text),
		"%s: what is sent from here on has no checksum: %s",
		b->base.name, why);
	remote->notice(remote->ctx, text);
}

void blocks_checksum_add(struct blocks *b, const void *bytes, size_t len)
{
	if (b->checksum && !checksum_add(b->checksum, bytes, len))
		blocks_lose_checksum(b, CHECKSUM_FAILED);
}

int blocks_submit(struct block *block, struct avml_error *err)
{
	struct blocks *b = block->blocks;
	int ret;

	block->checksum[0] = '\0';
	if (b->checksum && !checksum_end_base64(b->checksum, block->checksum))
		blocks_lose_checksum(b, CHECKSUM_FAILED);
	snprintf(block->what, sizeof(block->what), "block %" PRIu64,
		block->number);
	block->job = (struct http_job){
		.attempt = block->job.attempt,
		.what = block->what,
		.body = { block->len, block_read, NULL, block },
	};
	free(block->url);
	block->url = NULL;
	ret = b->dialect->block(block, err);
	if (ret < 0)
		return ret;
	block->job.url = block->url;
	http_submit(b->http, &block->job);
	return 0;
}

/* Called with the lock: what became of those that are over. 0 or -errno. */
static int settle(struct blocks *b, struct avml_error *err)
{
	for (unsigned int i = 0; i < b->slot_count; i++) {
		struct block *block = &b->slots[i];
		int ret = 0;

		if (block->job.state == HTTP_FAILED) {
			*err = block->job.err;
			return -err->code;
		}
		if (block->job.state != HTTP_DONE)
			continue;
		block->job.state = HTTP_IDLE;
		if (b->dialect->taken)
			ret = b->dialect->taken(block, err);
		if (ret < 0)
			return ret;
		b->taken_bytes += block->len;
	}
	return 0;
}

static uint64_t sent_bytes(const struct blocks *b)
{
	uint64_t sent = b->taken_bytes;

	for (unsigned int i = 0; i < b->slot_count; i++) {
		if (b->slots[i].job.state == HTTP_BUSY)
			sent += atomic_load(&b->slots[i].job.sent);
	}
	return sent;
}

static bool is_busy(const struct blocks *b)
{
	for (unsigned int i = 0; i < b->slot_count; i++) {
		if (b->slots[i].job.state == HTTP_BUSY)
			return true;
	}
	return false;
}

static struct block *idle_block(struct blocks *b)
{
	for (unsigned int i = 0; i < b->slot_count; i++) {
		if (b->slots[i].job.state == HTTP_IDLE)
			return &b->slots[i];
	}
	return NULL;
}

/* Called with the lock: wait, and tell how far it is. `file` may be NULL. */
static int wait_and_tell(struct blocks *b, const struct avml_sink_file *file,
	struct avml_error *err)
{
	int ret = http_wait(b->http, b->base.stop_level, err);

	if (file) {
		const uint64_t sent = sent_bytes(b);

		http_unlock(b->http);
		remote_tell(file, sent);
		http_lock(b->http);
	}
	return ret == 0 ? settle(b, err) : ret;
}

/* One that is neither filled nor sent; NULL: the error says why not. */
static struct block *find_free(struct blocks *b,
	const struct avml_sink_file *file, struct avml_error *err)
{
	struct block *found;
	int ret;

	/* With one idle, nobody waits and looks. */
	if (cancel_level() >= b->base.stop_level) {
		cancel_error(err);
		return NULL;
	}
	http_lock(b->http);
	ret = settle(b, err);
	while (ret == 0 && !idle_block(b))
		ret = wait_and_tell(b, file, err);
	found = ret == 0 ? idle_block(b) : NULL;
	http_unlock(b->http);
	return found;
}

struct block *blocks_next(struct blocks *b, const struct avml_sink_file *file,
	struct avml_error *err)
{
	struct block *next = find_free(b, file, err);

	if (!next)
		return NULL;
	if (b->count == b->dialect->blocks_max) {
		avml_error_set(err, EFBIG,
			"%s: more than %" PRIu64 " blocks of %" PRIu64 " MiB",
			b->base.name, b->dialect->blocks_max,
			b->block_size / MIB);
		return NULL;
	}
	next->blocks = b;
	next->number = b->count;
	next->offset = b->count * b->block_size;
	next->len = 0;
	b->count++;
	if (b->checksum && !checksum_reset(b->checksum))
		blocks_lose_checksum(b, CHECKSUM_FAILED);
	return next;
}

int blocks_begin(struct blocks *b, struct avml_error *err)
{
	if (b->begun)
		return 0;
	b->begun = true;
	return b->dialect->begin ? b->dialect->begin(b, err) : 0;
}

int blocks_wait_for_all(struct blocks *b, const struct avml_sink_file *file,
	struct avml_error *err)
{
	int ret;

	http_lock(b->http);
	ret = settle(b, err);
	while (ret == 0 && is_busy(b))
		ret = wait_and_tell(b, file, err);
	http_unlock(b->http);
	return ret;
}
