/* SPDX-License-Identifier: MIT */
#include "job/digest_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

#define SUFFIX ".sha256"

/* NULL when there is none, or memory is out. The caller frees it. */
static char *path_of(const struct output_options *options)
{
	const char *image = options->destination;
	const size_t len = strlen(image);
	char *path;

	if (options->digest_file)
		return strdup(options->digest_file);
	if (avml_sink_descriptor(image) >= 0)
		return NULL;
	path = malloc(len + sizeof(SUFFIX));
	if (!path)
		return NULL;
	memcpy(path, image, len);
	memcpy(path + len, SUFFIX, sizeof(SUFFIX));
	return path;
}

/* To devices both may go: they keep nothing of either. */
static bool is_device(const char *path)
{
	const int fd = avml_sink_descriptor(path);
	struct stat st;

	return (fd >= 0 ? fstat(fd, &st) : stat(path, &st)) == 0 &&
	       S_ISCHR(st.st_mode);
}

static bool is_same(
	const struct avml_sink_input *a, const struct avml_sink_input *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

int digest_file_check(
	const struct output_options *options, struct avml_error *err)
{
	CLEANUP_FREE char *path = path_of(options);
	struct avml_sink_input image, digest;
	struct stat st;
	bool same;

	if (!path || is_device(path))
		return 0;
	if (options->no_clobber && avml_sink_descriptor(path) < 0 &&
		lstat(path, &st) == 0)
		return avml_error_set_errno(err, EEXIST, "%s", path);
	same = strcmp(path, options->destination) == 0;
	if (!same && !avml_sink_input_look(path, &digest))
		return 0;
	if (same || (avml_sink_input_look(options->destination, &image) &&
			    is_same(&digest, &image)))
		return avml_error_set(err, EINVAL,
			"%s cannot hold both the image and its digest", path);
	for (size_t i = 0; i < options->input_count; i++) {
		if (is_same(&digest, &options->inputs[i]))
			return avml_error_set(err, EINVAL,
				"%s, where the digest goes, is needed "
				"otherwise: it would be overwritten",
				path);
	}
	return 0;
}

void digest_file_open(struct digest_file *file,
	const struct output_options *options, bool regular)
{
	struct avml_sink_input image = { .written = true };
	const struct avml_sink_options sink_options = {
		.what = "digest",
		.no_sparse = true,
		.to_the_end = true,
		.no_clobber = options->no_clobber,
		.inputs = &image,
		.input_count =
			avml_sink_input_look(options->destination, &image),
	};
	struct avml_error err = AVML_ERROR_INIT;
	const char *slash = strrchr(options->destination, '/');

	*file = (struct digest_file){
		.image = options->destination,
		.warning = options->warning,
	};
	/* Beside a device or a pipe there is no place for it. */
	if (!regular && !options->digest_file)
		return;
	if (avml_sink_descriptor(options->destination) >= 0)
		file->image = "-";
	else if (!options->digest_file && slash)
		/* "-" alone would mean stdin. */
		file->image = strcmp(slash, "/-") == 0 ? "./-" : slash + 1;
	file->path = path_of(options);
	if (!file->path)
		avml_error_set_errno(&err, ENOMEM, "its name");
	else if (avml_sink_open(file->path, &sink_options, &file->sink, &err) ==
		 0)
		return;
	warning_tell(&file->warning,
		"the digest of %s will be told, and in no file: %s",
		options->destination, avml_error_message(&err, 0));
}

/* As sha256sum does: what would end the line is escaped, and that is said. */
static size_t make_line(const char *hex, const char *name, char *line)
{
	const bool escaped = strpbrk(name, "\\\n\r");
	char *at = line;

	if (escaped)
		*at++ = '\\';
	at = stpcpy(stpcpy(at, hex), "  ");
	for (; *name; name++) {
		const char *code = *name == '\\'   ? "\\\\"
				   : *name == '\n' ? "\\n"
				   : *name == '\r' ? "\\r"
						   : NULL;

		if (code)
			at = stpcpy(at, code);
		else
			*at++ = *name;
	}
	*at++ = '\n';
	return (size_t)(at - line);
}

static int write_line(
	struct digest_file *file, const char *hex, struct avml_error *err)
{
	CLEANUP_FREE char *line =
		malloc(AVML_SINK_DIGEST_SIZE + 2 * strlen(file->image) + 4);
	int ret;

	if (!line)
		return avml_error_set_errno(err, ENOMEM, "its line");
	ret = avml_sink_write(
		file->sink, line, make_line(hex, file->image, line), err);
	if (ret < 0)
		return ret;
	avml_sink_mark(file->sink);
	return avml_sink_finish(file->sink, err);
}

void digest_file_close(struct digest_file *file, const char *hex)
{
	struct avml_error err = AVML_ERROR_INIT, ignored;
	struct avml_sink_left left;

	if (!file->sink)
		return;
	if (hex && write_line(file, hex, &err) == 0)
		return;
	(void)avml_sink_abort(file->sink, &left, &ignored);
	if (hex)
		warning_tell(&file->warning, "the digest is not in %s: %s",
			file->path, avml_error_message(&err, 0));
}

void digest_file_release(struct digest_file *file)
{
	avml_sink_free(file->sink);
	free(file->path);
	*file = (struct digest_file){ .sink = NULL };
}
