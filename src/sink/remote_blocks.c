/* SPDX-License-Identifier: MIT */
#include "sink/remote_blocks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cancel.h"
#include "sink/remote_sink.h"

/* Read of a file at once for its checksum; bytes. */
#define READ_LEN (256u << 10)

/* --- a stream ------------------------------------------------------------- */

static int start_filling(struct blocks *b, struct avml_error *err)
{
	struct block *block;
	int ret = blocks_begin(b, err);

	if (ret < 0)
		return ret;
	block = blocks_next(b, NULL, err);
	if (!block)
		return -err->code;
	if (!block->bytes) {
		void *bytes = mmap(NULL, b->block_size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (bytes == MAP_FAILED)
			return avml_error_set_errno(err, ENOMEM,
				"%s: a block of %" PRIu64 " MiB", b->base.name,
				b->block_size / MIB);
		block->bytes = bytes;
	}
	b->filling = block;
	return 0;
}

/* `from` is NULL for zeros. */
static int add(struct blocks *b, const uint8_t *from, uint64_t len,
	struct avml_error *err)
{
	while (len > 0) {
		struct block *block;
		size_t part;
		int ret = b->filling ? 0 : start_filling(b, err);

		if (ret < 0)
			return ret;
		block = b->filling;
		part = (size_t)(b->block_size - block->len);
		/* As long as it is near, its checksum is taken. */
		if (part > READ_LEN)
			part = READ_LEN;
		if (part > len)
			part = (size_t)len;
		if (from)
			memcpy(block->bytes + block->len, from, part);
		else
			memset(block->bytes + block->len, 0, part);
		blocks_checksum_add(b, block->bytes + block->len, part);
		block->len += part;
		len -= part;
		if (from)
			from += part;
		if (block->len < b->block_size)
			continue;
		b->filling = NULL;
		ret = blocks_submit(block, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int blocks_write(struct avml_sink *sink, const void *buf, size_t len,
	struct avml_error *err)
{
	return add((struct blocks *)sink, buf, len, err);
}

static int blocks_zeros(
	struct avml_sink *sink, uint64_t len, struct avml_error *err)
{
	return add((struct blocks *)sink, NULL, len, err);
}

/* --- a file --------------------------------------------------------------- */

static int take_checksum(
	const struct block *block, uint8_t *buf, struct avml_error *err)
{
	struct blocks *b = block->blocks;

	for (uint64_t at = 0; at < block->len && b->checksum;) {
		const size_t part = block->len - at < READ_LEN
					    ? (size_t)(block->len - at)
					    : READ_LEN;
		ssize_t got;

		/* Of a large one that takes a while. */
		if (cancel_level() >= b->base.stop_level)
			return cancel_error(err);
		got = remote_file_read(
			&b->file, block->offset + at, buf, part, err);
		if (got < 0)
			return (int)got;
		blocks_checksum_add(b, buf, part);
		at += part;
	}
	return 0;
}

static int send_parts(struct blocks *b, const struct avml_sink_file *file,
	uint8_t *buf, struct avml_error *err)
{
	uint64_t left = file->len;

	while (left > 0) {
		struct block *block = blocks_next(b, file, err);
		int ret;

		if (!block)
			return -err->code;
		block->len = left < b->block_size ? left : b->block_size;
		left -= block->len;
		ret = take_checksum(block, buf, err);
		if (ret == 0)
			ret = blocks_submit(block, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int blocks_send_file(struct avml_sink *sink,
	const struct avml_sink_file *file, struct avml_error *err)
{
	struct blocks *b = (struct blocks *)sink;
	uint8_t *buf;
	int ret = remote_file_init(
		&b->file, file->path, file->fd, file->len, err);

	if (ret == 0)
		ret = blocks_begin(b, err);
	if (ret < 0)
		return ret;
	buf = malloc(READ_LEN);
	if (!buf)
		return avml_error_set_errno(err, ENOMEM, "an upload");
	ret = send_parts(b, file, buf, err);
	free(buf);
	if (ret == 0)
		ret = blocks_wait_for_all(b, file, err);
	return ret < 0 ? ret : remote_file_check(&b->file, err);
}

/* --- the end -------------------------------------------------------------- */

static int blocks_finish(struct avml_sink *sink, struct avml_error *err)
{
	struct blocks *b = (struct blocks *)sink;
	int ret = blocks_begin(b, err);

	if (ret == 0 && b->filling) {
		ret = blocks_submit(b->filling, err);
		b->filling = NULL;
	}
	if (ret == 0)
		ret = blocks_wait_for_all(b, NULL, err);
	if (ret < 0)
		return ret;
	/* What is put together is not taken apart again. */
	if (cancel_level() >= b->base.stop_level)
		return cancel_error(err);
	return b->dialect->commit(b, err);
}

static int blocks_abort(struct avml_sink *sink, struct avml_sink_left *left,
	struct avml_error *err)
{
	struct blocks *b = (struct blocks *)sink;
	int ret = 0;

	http_lock(b->http);
	for (unsigned int i = 0; i < b->slot_count; i++)
		b->cut_off |= b->slots[i].job.state == HTTP_BUSY;
	http_unlock(b->http);
	for (unsigned int i = 0; i < b->slot_count; i++)
		http_job_release(b->http, &b->slots[i].job);
	if (b->begun && b->dialect->abandon)
		ret = b->dialect->abandon(b, err);
	left->unknown = b->unsure;
	left->dropped = !left->unknown;
	left->len = sink->position;
	return ret;
}

static int blocks_confirm(struct avml_sink *sink, struct avml_error *err)
{
	struct blocks *b = (struct blocks *)sink;

	if (b->dialect->confirm)
		return b->dialect->confirm(b, err);
	return remote_confirm(b->http, b->remote->to, sink->position, err);
}

static void blocks_counts(
	const struct avml_sink *sink, struct avml_remote_counts *counts)
{
	const struct blocks *b = (const struct blocks *)sink;

	counts->sent_bytes = b->taken_bytes;
	counts->blocks = b->count;
	counts->block_size = b->block_size;
	counts->retries = http_retries(b->http);
}

static void blocks_free(struct avml_sink *sink)
{
	struct blocks *b = (struct blocks *)sink;

	for (unsigned int i = 0; i < b->slot_count; i++) {
		struct block *block = &b->slots[i];

		if (b->http)
			http_job_release(b->http, &block->job);
		if (block->bytes)
			munmap(block->bytes, b->block_size);
		free(block->url);
	}
	http_free(b->http);
	checksum_free(b->checksum);
	b->dialect->free(b->data);
	free(b);
}

static const struct sink_ops blocks_ops = {
	.can_cut = false,
	.write = blocks_write,
	.zeros = blocks_zeros,
	.finish = blocks_finish,
	.abort = blocks_abort,
	.free = blocks_free,
	.send_file = blocks_send_file,
	.confirm = blocks_confirm,
	.counts = blocks_counts,
};

static void warn_of_room(const struct blocks *b, uint64_t most)
{
	const struct avml_remote *remote = b->remote;
	const uint64_t room = blocks_room(b->dialect, b->block_size);
	char text[400];

	if (most <= room || !remote->notice)
		return;
	snprintf(text, sizeof(text),
		"%s might not fit: it has room for %" PRIu64
		" MiB, the image may take %" PRIu64,
		b->base.name, room / MIB, most / MIB);
	remote->notice(remote->ctx, text);
}

/*
 * Where the library has none of the kind, as one of FIPS has no MD5, blocks go
 * without: better so than not at all, but nobody is to find it out later.
 */
static int take_up_checksum(struct blocks *b, struct avml_error *err)
{
	struct avml_error why;

	b->checksum = checksum_new(b->dialect->checksum, &why);
	if (b->checksum)
		return 0;
	if (why.code == ENOTSUP) {
		blocks_lose_checksum(b, avml_error_message(&why, 0));
		return 0;
	}
	*err = why;
	return -err->code;
}

int blocks_new(const struct avml_remote *remote,
	const struct block_dialect *dialect, void *data, uint64_t most,
	bool of_file, struct avml_sink **sink, struct avml_error *err)
{
	struct blocks *b = calloc(1, sizeof(*b));
	int ret;

	if (!b) {
		dialect->free(data);
		return avml_error_set_errno(err, ENOMEM, "an upload");
	}
	b->remote = remote;
	b->dialect = dialect;
	b->data = data;
	b->stream = !of_file;
	ret = remote_base(&b->base, &blocks_ops, remote);
	if (ret < 0)
		avml_error_set_errno(err, -ret, "an upload");
	if (ret == 0) {
		b->block_size = blocks_size_for(
			dialect, most, remote->block_mib, b->stream, err);
		ret = b->block_size > 0
			      ? 0
			      : avml_error_wrap(err, "%s", b->base.name);
	}
	if (ret == 0) {
		b->slot_count =
			blocks_at_once(remote, b->block_size, b->stream);
		ret = http_new(remote, b->slot_count, &b->http, err);
	}
	if (ret == 0 && !remote->no_checksum)
		ret = take_up_checksum(b, err);
	if (ret < 0) {
		b->slot_count = 0;
		free(b->base.name);
		blocks_free(&b->base);
		return ret;
	}
	warn_of_room(b, most);
	*sink = &b->base;
	return 0;
}
