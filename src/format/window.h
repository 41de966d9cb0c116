/* SPDX-License-Identifier: MIT */
/*
 * A window over the bytes of an image: the next few are at hand, and a few
 * of the last ones can be gone back to.
 */
#ifndef FORMAT_WINDOW_H
#define FORMAT_WINDOW_H

#include "format/image_reader.h"

#define WINDOW_LEN (256u << 10)
/* As much can be asked for at once, and gone back, in bytes. */
#define WINDOW_NEED_MAX (96u << 10)
#define WINDOW_BACK_MAX (96u << 10)

struct window {
	const struct image_input *input;
	size_t begin, end; /* of the bytes that are at hand, in buf */
	uint64_t offset;   /* of buf[begin] in the image */
	bool at_end;	   /* the input has no more */
	bool failed;	   /* it could not be read */
	uint8_t buf[WINDOW_LEN];
};

void window_init(struct window *w, const struct image_input *input);

/*
 * Have the next `len` bytes at hand, or all there are. How many are, or a
 * negative errno.
 */
ssize_t window_need(struct window *w, size_t len, struct avml_error *err);

static inline const uint8_t *window_at(const struct window *w)
{
	return w->buf + w->begin;
}

/* Go past bytes that are at hand, or back to some that were. */
void window_skip(struct window *w, size_t len);
bool window_back_to(struct window *w, uint64_t offset);

/* Put other bytes in the place of the next ones, which are at hand. */
void window_patch(struct window *w, const void *bytes, size_t len);

/*
 * Take the next `len` bytes, past the window if need be; go over them, so
 * that the last of them can be gone back to; or jump over them, unread where
 * the input can do that. `*done` is less than `len` when the image ends
 * before. 0 or a negative errno.
 */
int window_take(struct window *w, void *buf, size_t len, uint64_t *done,
	struct avml_error *err);
int window_pass(
	struct window *w, uint64_t len, uint64_t *done, struct avml_error *err);
int window_jump(
	struct window *w, uint64_t len, uint64_t *done, struct avml_error *err);

#endif
