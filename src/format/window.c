/* SPDX-License-Identifier: MIT */
#include "format/window.h"

#include <assert.h>
#include <string.h>

void window_init(struct window *w, const struct image_input *input)
{
	w->input = input;
	w->begin = 0;
	w->end = 0;
	w->offset = 0;
	w->at_end = false;
	w->failed = false;
}

/* Make room at the end, and keep some of what has gone by. */
static void make_room(struct window *w)
{
	const size_t kept =
		w->begin < WINDOW_BACK_MAX ? w->begin : WINDOW_BACK_MAX;

	memmove(w->buf, w->buf + w->begin - kept, w->end - w->begin + kept);
	w->end -= w->begin - kept;
	w->begin = kept;
}

ssize_t window_need(struct window *w, size_t len, struct avml_error *err)
{
	assert(len <= WINDOW_NEED_MAX);
	if (w->begin + len > sizeof(w->buf))
		make_room(w);
	while (w->end - w->begin < len && !w->at_end) {
		const ssize_t n = w->input->read(w->input->ctx, w->buf + w->end,
			sizeof(w->buf) - w->end, err);

		if (n < 0) {
			w->failed = true;
			return n;
		}
		if (n == 0)
			w->at_end = true;
		w->end += (size_t)n;
	}
	return (ssize_t)(w->end - w->begin < len ? w->end - w->begin : len);
}

void window_skip(struct window *w, size_t len)
{
	assert(len <= w->end - w->begin);
	w->begin += len;
	w->offset += len;
}

bool window_back_to(struct window *w, uint64_t offset)
{
	const uint64_t back = w->offset - offset;

	if (offset > w->offset || back > w->begin)
		return false;
	w->begin -= (size_t)back;
	w->offset = offset;
	return true;
}

ssize_t window_take(
	struct window *w, void *buf, size_t len, struct avml_error *err)
{
	size_t done = w->end - w->begin;

	if (done > len)
		done = len;
	memcpy(buf, window_at(w), done);
	window_skip(w, done);
	if (done == len || w->at_end)
		return (ssize_t)done;
	/* The window is empty: what it held before is not next to these. */
	w->begin = 0;
	w->end = 0;
	while (done < len) {
		const ssize_t n = w->input->read(
			w->input->ctx, (char *)buf + done, len - done, err);

		if (n < 0) {
			w->failed = true;
			return n;
		}
		if (n == 0) {
			w->at_end = true;
			break;
		}
		done += (size_t)n;
		w->offset += (uint64_t)n;
	}
	return (ssize_t)done;
}
