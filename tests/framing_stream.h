/* SPDX-License-Identifier: MIT */
/* For tests: a whole stream in memory, walked along with the codec. */
#ifndef TESTS_FRAMING_STREAM_H
#define TESTS_FRAMING_STREAM_H

#include <errno.h>

#include "format/framing.h"

struct stream_counts {
	size_t compressed;
	size_t stored;
	size_t skipped;
	size_t zero; /* data chunks that are all zero */
};

/*
 * Decode `in` into `out` to its end. -ENODATA when it ends inside a chunk;
 * an identifier need not stand in front.
 */
static inline int stream_decode(struct framing_decoder *dec, const uint8_t *in,
	size_t in_len, uint8_t *out, size_t out_cap, size_t *out_len,
	struct stream_counts *counts, struct avml_error *err)
{
	struct framing_chunk chunk;
	size_t len;
	bool zero;
	int ret;

	*counts = (struct stream_counts){ 0 };
	*out_len = 0;
	while (in_len > 0) {
		if (in_len < FRAMING_HEAD_LEN)
			return avml_error_set(err, ENODATA, "head cut off");
		ret = framing_parse_head(in, &chunk, err);
		if (ret < 0)
			return ret;
		in += FRAMING_HEAD_LEN;
		in_len -= FRAMING_HEAD_LEN;
		if (in_len < chunk.body_len)
			return avml_error_set(err, ENODATA, "body cut off");
		if (chunk.kind == FRAMING_IDENT) {
			ret = framing_check_ident(in, err);
			if (ret < 0)
				return ret;
		} else if (framing_is_data(chunk.kind)) {
			ret = framing_decode(dec, &chunk, in, out + *out_len,
				out_cap - *out_len, &len, &zero, err);
			if (ret < 0)
				return ret;
			*out_len += len;
			counts->zero += zero;
			counts->compressed += chunk.kind == FRAMING_COMPRESSED;
			counts->stored += chunk.kind == FRAMING_STORED;
		} else {
			counts->skipped++;
		}
		in += chunk.body_len;
		in_len -= chunk.body_len;
	}
	return 0;
}

#endif
