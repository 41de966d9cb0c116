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
		w->failed = false;
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

void window_patch(struct window *w, const void *bytes, size_t len)
{
	assert(len <= w->end - w->begin);
	memcpy(w->buf + w->begin, bytes, len);
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

/* What is at hand of the next `len` bytes goes to `buf`, if that is any. */
static uint64_t take_from_window(struct window *w, void *buf, uint64_t len)
{
	const size_t have = w->end - w->begin;
	const size_t n = have < len ? have : (size_t)len;

	if (buf)
		memcpy(buf, window_at(w), n);
	window_skip(w, n);
	/* The rest comes past the window, which is not next to it then. */
	if (n < len && !w->at_end) {
		w->begin = 0;
		w->end = 0;
	}
	return n;
}

int window_take(struct window *w, void *buf, size_t len, uint64_t *done,
	struct avml_error *err)
{
	*done = take_from_window(w, buf, len);
	while (*done < len && !w->at_end) {
		const ssize_t n = w->input->read(w->input->ctx,
			(char *)buf + *done, len - (size_t)*done, err);

		if (n < 0) {
			w->failed = true;
			return (int)n;
		}
		if (n == 0)
			w->at_end = true;
		*done += (uint64_t)n;
		w->offset += (uint64_t)n;
	}
	return 0;
}

int window_pass(
	struct window *w, uint64_t len, uint64_t *done, struct avml_error *err)
{
	*done = 0;
	while (*done < len) {
		const uint64_t left = len - *done;
		const ssize_t n = window_need(w,
			left < WINDOW_NEED_MAX ? (size_t)left : WINDOW_NEED_MAX,
			err);

		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		window_skip(w, (size_t)n);
		*done += (uint64_t)n;
	}
	return 0;
}

int window_jump(
	struct window *w, uint64_t len, uint64_t *done, struct avml_error *err)
{
	uint64_t n;

	if (!w->input->skip)
		return window_pass(w, len, done, err);
	*done = take_from_window(w, NULL, len);
	if (*done < len && !w->at_end) {
		n = w->input->skip(w->input->ctx, len - *done);
		*done += n;
		w->offset += n;
	}
	return 0;
}
