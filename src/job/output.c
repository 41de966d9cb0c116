/* SPDX-License-Identifier: MIT */
#include "job/output.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cancel.h"
#include "job/digest_file.h"

#define MIB (1u << 20)

static void warn_of_space(
	const struct output_options *options, uint64_t available)
{
	if (available >= options->estimate)
		return;
	warning_tell(&options->warning,
		"%s might not fit: %" PRIu64
		" MiB are free%s, the image may take %" PRIu64,
		options->destination, available / MIB,
		options->min_free_mib > 0 ? " but for --min-free" : "",
		options->estimate / MIB);
}

/* What would harm the host, or cannot come to a good end. */
static int check_place(
	const struct output_options *options, struct avml_error *err)
{
	const char *name = options->destination;
	uint64_t available, min_free;

	if (options->in_memory && !options->force && disk_is_memory(name))
		return avml_error_set(err, EINVAL,
			"%s is on tmpfs or ramfs: the image would overwrite "
			"the memory that is to be read (--force writes it all "
			"the same)",
			name);
	if (!disk_free(name, &available)) {
		if (options->min_free_mib == 0)
			return 0;
		return avml_error_set(err, ENOTSUP,
			"%s: how much of its disk is free cannot be told, as "
			"--min-free needs it",
			name);
	}
	if (__builtin_mul_overflow(options->min_free_mib, MIB, &min_free))
		min_free = UINT64_MAX;
	if (available < min_free)
		return avml_error_set(err, ENOSPC,
			"%s: %" PRIu64 " MiB are free on its disk, less than "
			"the %" PRIu64
			" MiB that are to stay free (--min-free)",
			name, available / MIB, options->min_free_mib);
	if (available - min_free < options->least && !options->force)
		return avml_error_set(err, ENOSPC,
			"%s cannot fit: %" PRIu64 " MiB may be written to its "
			"disk, the image takes %" PRIu64 " MiB at the least, "
			"even compressed (--force begins all the same)",
			name, (available - min_free) / MIB,
			options->least / MIB);
	warn_of_space(options, available - min_free);
	return 0;
}

/*
 * Of what does not compress, chunks and their heads are more than the memory
 * in them, by less than this.
 */
static uint64_t most_bytes(uint64_t estimate)
{
	uint64_t most;

	if (__builtin_add_overflow(estimate, estimate / 1024, &most))
		return UINT64_MAX;
	return most;
}

int output_open(struct output *out, const struct output_options *options,
	struct avml_error *err)
{
	struct avml_sink_options sink_options = {
		.no_sparse = options->no_sparse,
		.no_clobber = options->no_clobber,
		.min_free_mib = options->min_free_mib,
		.digest = options->digest,
		.digest_inline = options->digest_inline,
		.inputs = options->inputs,
		.input_count = options->input_count,
		.remote = options->remote,
		.most = most_bytes(options->estimate),
	};
	int ret;

	out->destination = options->destination;
	out->digest = options->digest;
	if (options->remote)
		ret = 0; /* no disk of this host's is written to */
	else if (options->estimate > 0)
		ret = disk_limit_check(options->destination, options->estimate,
			&options->limit, err);
	else
		ret = disk_limit_bytes(options->destination, &options->limit,
			&sink_options.max_bytes, err);
	if (ret == 0 && !options->remote)
		ret = check_place(options, err);
	if (ret == 0 && options->digest)
		ret = digest_file_check(options, err);
	if (ret < 0)
		return ret;
	/* What is there already has to stay when nothing comes of this. */
	if (cancel_level() > 0)
		return cancel_error(err);
	ret = image_writer_init(
		&out->writer, &options->writer, &options->events, err);
	if (ret == 0)
		ret = avml_sink_open(
			options->destination, &sink_options, &out->sink, err);
	if (ret < 0)
		return ret;
	out->writer.sink = out->sink;
	if (options->digest)
		digest_file_open(&out->digest_file, options,
			avml_sink_can_cut(out->sink));
	return 0;
}

/* Cut back, and put what is left in front of the error's chain. */
static void abandon(struct output *out, struct avml_error *err)
{
	struct avml_error cut_err = AVML_ERROR_INIT;
	struct avml_sink_left left;
	const int ret = avml_sink_abort(out->sink, &left, &cut_err);

	if (left.unknown)
		avml_error_wrap(err,
			"whether the image is at %s is not known: all of it, "
			"%" PRIu64
			" bytes, was sent, and nothing confirmed it%s%s%s",
			out->destination, left.len, ret < 0 ? " (" : "",
			ret < 0 ? avml_error_message(&cut_err, 0) : "",
			ret < 0 ? ")" : "");
	else if (ret < 0 && left.dropped)
		avml_error_wrap(err, "%s is incomplete (%s)", out->destination,
			avml_error_message(&cut_err, 0));
	else if (ret < 0)
		avml_error_wrap(err,
			"%s is incomplete, its last record may be cut short "
			"(%s)",
			out->destination, avml_error_message(&cut_err, 0));
	else if (left.unsure)
		avml_error_wrap(err,
			"%s may be damaged: %" PRIu64 " whole records, %" PRIu64
			" bytes were written, but the disk did not confirm "
			"them",
			out->destination, out->writer.records, left.len);
	else if (left.dropped)
		avml_error_wrap(err,
			"nothing was left at %s: of the image %" PRIu64
			" bytes had been made, and it was not finished",
			out->destination, left.len);
	else if (left.removed)
		avml_error_wrap(err,
			"nothing was written: %s was removed, since it held "
			"no whole record",
			out->destination);
	else
		avml_error_wrap(err,
			"%s is incomplete: %s %" PRIu64
			" whole records, %" PRIu64 " bytes",
			out->destination,
			left.cut ? "cut back to its" : "it ended after",
			out->writer.records, left.len);
}

int output_close(struct output *out, int ret, struct avml_error *err)
{
	if (ret == 0)
		ret = avml_sink_finish(out->sink, err);
	if (ret < 0)
		abandon(out, err);
	if (out->digest && ret == 0 && !avml_sink_digest(out->sink))
		warning_tell(&out->digest_file.warning,
			"the SHA-256 of %s could not be taken",
			out->destination);
	digest_file_close(&out->digest_file, avml_sink_digest(out->sink));
	return ret;
}

void output_copy_digest(
	const struct output *out, char digest[AVML_SINK_DIGEST_SIZE])
{
	const char *hex = avml_sink_digest(out->sink);

	memcpy(digest, hex ? hex : "", hex ? AVML_SINK_DIGEST_SIZE : 1);
}

void output_release(struct output *out)
{
	image_writer_release(&out->writer);
	avml_sink_free(out->sink);
	out->sink = NULL;
	digest_file_release(&out->digest_file);
}
