/* SPDX-License-Identifier: MIT */
/*
 * BPF: a program in the kernel that reads its memory for us, where no file
 * does. All that it may read it reads by virtual address, so that physical
 * memory is what the kernel's direct map shows of it; where that begins has to
 * be proved first. See bpf_base.h.
 *
 * Needs CAP_SYS_ADMIN (for the proof; BPF itself would be content with CAP_BPF
 * and CAP_PERFMON), and a kernel from 5.10 on. Lockdown mode "confidentiality"
 * takes the helper away. No guard of kcore's stands in front of bad memory: the
 * page filter has to.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "source/bpf_base.h"
#include "source/bpf_check.h"
#include "source/host.h"

struct bpf {
	struct avml_source base;
	uint64_t direct_map; /* the virtual address of physical 0 */
	/* Of every program: that of the proof told. */
	const char *kind;
	uint64_t program_bytes;
	/* Reads into the buffers of all; without buffers there is none. */
	struct bpf_program shared;
	unsigned int pieces; /* of its elements; those behind are to spare */
	/* By the readers of all threads. */
	atomic_uint taken;  /* of those to spare */
	atomic_uint others; /* programs of single readers */
	atomic_uint loads;  /* programs over all time */
};

struct bpf_reader {
	struct avml_source_reader base;
	/*
	 * For memory that is in no map, and what is not the begin of an
	 * element, as half of a piece that faults: a copy more. By way of an
	 * element to spare (-1: none yet); where there is none by a program of
	 * its own, made when it is needed.
	 */
	int spare;
	struct bpf_program own;
};

/* --- the source ----------------------------------------------------------- */

/* Our own, by way of either proc. */
static int find_base(struct bpf_program *program,
	const struct source_place *place, uint64_t *base,
	struct source_refusal *why, struct avml_error *err)
{
	CLEANUP_FREE char *path = host_proc_path(NULL, "self/pagemap");
	int ret;

	if (!path)
		return avml_error_set_errno(err, ENOMEM, "bpf");
	ret = bpf_base_find(program, path, place->flags, place->ram, base, err);
	if (ret == -ENOENT && place->proc_dir) {
		free(path);
		path = host_proc_path(place->proc_dir, "self/pagemap");
		if (!path)
			return avml_error_set_errno(err, ENOMEM, "bpf");
		ret = bpf_base_find(
			program, path, place->flags, place->ram, base, err);
	}
	if (ret == -ENOMEM)
		return avml_error_wrap(err, "bpf");
	if (ret == 0 || ret == -EINTR)
		return ret;
	avml_error_wrap(
		err, "bpf: where the kernel has physical memory is not proved");
	return source_refuse(why, AVML_SOURCE_UNPROVEN,
		ret == -ENOENT ? "a kernel with CONFIG_PROC_PAGE_MONITOR tells "
				 "where our own pages are"
			       : NULL,
		ret);
}

static int bpf_open(const struct source_place *place,
	struct avml_source **source, struct source_refusal *why,
	struct avml_error *err)
{
	struct bpf_program program = BPF_PROGRAM_INIT;
	struct bpf *bpf;
	int ret;

	bpf = calloc(1, sizeof(*bpf));
	if (!bpf)
		return avml_error_set_errno(err, ENOMEM, "bpf");
	ret = bpf_program_open(&program, 1, err);
	if (ret < 0)
		ret = bpf_explain(ret, why, err);
	else
		ret = find_base(&program, place, &bpf->direct_map, why, err);
	if (ret == 0) {
		bpf->kind = bpf_program_type(&program);
		bpf->program_bytes = bpf_program_size(&program);
		atomic_store(&bpf->loads, program.loads);
	}
	bpf_program_close(&program);
	if (ret < 0) {
		free(bpf);
		return ret;
	}
	bpf->shared = (struct bpf_program)BPF_PROGRAM_INIT;
	bpf->base.live = true;
	bpf->base.host = true;
	bpf->base.covers_all = true;
	*source = &bpf->base;
	return 0;
}

static void bpf_free(struct avml_source *source)
{
	struct bpf *bpf = (struct bpf *)source;

	bpf_program_close(&bpf->shared);
	free(bpf);
}

/*
 * With an element to spare for each reader: to load a program in the midst of
 * a run may fail, and is one more change.
 */
static void *bpf_buffers(
	struct avml_source *source, size_t len, size_t count, size_t readers)
{
	struct bpf *bpf = (struct bpf *)source;
	struct avml_error ignored;
	int ret;

	if (len != BPF_PROGRAM_BUFFER || count == 0 || count > UINT16_MAX ||
		readers > UINT16_MAX || bpf->shared.buffer)
		return NULL;
	ret = bpf_program_open(
		&bpf->shared, (unsigned int)(count + readers), &ignored);
	atomic_fetch_add(&bpf->loads, bpf->shared.loads);
	if (ret < 0)
		return NULL;
	bpf->pieces = (unsigned int)count;
	return bpf->shared.buffer;
}

static void bpf_footprint(const struct avml_source *source,
	struct avml_source_footprint *footprint)
{
	const struct bpf *bpf = (const struct bpf *)source;
	const unsigned int others = atomic_load(&bpf->others);

	*footprint = (struct avml_source_footprint){
		.kind = bpf->kind,
		.programs = others + (bpf->shared.buffer != NULL),
		.loads = atomic_load(&bpf->loads),
		.program_bytes = bpf->program_bytes,
		.map_bytes = bpf_program_map_size(&bpf->shared) +
			     (uint64_t)others * BPF_PROGRAM_BUFFER,
	};
}

/*
 * A source is const to those that read it. What they have loaded is counted
 * none the less.
 */
static struct bpf *counting(const struct avml_source *source)
{
	const union {
		const struct avml_source *source;
		struct bpf *bpf;
	} both = { .source = source };

	return both.bpf;
}

/* --- readers -------------------------------------------------------------- */

static int bpf_reader_new(const struct avml_source *source,
	struct avml_source_reader **reader, struct avml_error *err)
{
	struct bpf_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return avml_error_set_errno(err, ENOMEM, "%s", source->path);
	r->base.source = source;
	r->base.fd = -1;
	r->spare = -1;
	r->own = (struct bpf_program)BPF_PROGRAM_INIT;
	*reader = &r->base;
	return 0;
}

static void bpf_reader_free(struct avml_source_reader *reader)
{
	struct bpf_reader *r = (struct bpf_reader *)reader;

	if (r->own.buffer)
		atomic_fetch_sub(&counting(reader->source)->others, 1);
	bpf_program_close(&r->own);
	free(r);
}

/* Whether `buf` is the begin of an element that all share: its number. */
static bool is_shared(const struct bpf *bpf, const char *buf, size_t len,
	unsigned int *element)
{
	const char *first = bpf->shared.buffer;
	size_t at;

	if (!first || buf < first ||
		buf >= first + bpf_program_map_size(&bpf->shared))
		return false;
	at = (size_t)(buf - first);
	*element = (unsigned int)(at / BPF_PROGRAM_BUFFER);
	return at % BPF_PROGRAM_BUFFER == 0 && len <= BPF_PROGRAM_BUFFER;
}

/* An element that no other reader copies by. Whether there is one. */
static bool take_spare(struct bpf_reader *r)
{
	struct bpf *bpf = counting(r->base.source);
	const unsigned int all = bpf->shared.count - bpf->pieces;
	unsigned int n;

	if (r->spare >= 0 || r->own.buffer || atomic_load(&bpf->taken) >= all)
		return r->spare >= 0;
	n = atomic_fetch_add(&bpf->taken, 1);
	if (n < all)
		r->spare = (int)(bpf->pieces + n);
	return r->spare >= 0;
}

static int open_own(struct bpf_reader *r)
{
	struct bpf *bpf = counting(r->base.source);
	struct avml_error ignored;
	int ret;

	if (r->own.buffer)
		return 0;
	ret = bpf_program_open(&r->own, 1, &ignored);
	atomic_fetch_add(&bpf->loads, r->own.loads);
	if (ret == 0)
		atomic_fetch_add(&bpf->others, 1);
	return ret;
}

static int read_copied(
	struct bpf_reader *r, uint64_t addr, void *buf, size_t len)
{
	const struct bpf *bpf = (const struct bpf *)r->base.source;
	const struct bpf_program *program = &bpf->shared;
	unsigned int element = 0;
	int ret = 0;

	if (take_spare(r)) {
		element = (unsigned int)r->spare;
	} else {
		program = &r->own;
		ret = open_own(r);
	}
	if (ret == 0)
		ret = bpf_program_read(program, element, addr, len);
	if (ret == 0)
		memcpy(buf,
			(const char *)program->buffer +
				(size_t)element * BPF_PROGRAM_BUFFER,
			len);
	return ret;
}

static ssize_t bpf_read(
	struct avml_source_reader *reader, uint64_t addr, void *buf, size_t len)
{
	struct bpf_reader *r = (struct bpf_reader *)reader;
	const struct bpf *bpf = (const struct bpf *)reader->source;
	const uint64_t from = bpf->direct_map + addr;
	size_t done = 0;
	unsigned int element;

	if (is_shared(bpf, buf, len, &element)) {
		const int ret =
			bpf_program_read(&bpf->shared, element, from, len);

		return ret < 0 ? ret : (ssize_t)len;
	}
	while (done < len) {
		const size_t part = len - done < BPF_PROGRAM_BUFFER
					    ? len - done
					    : BPF_PROGRAM_BUFFER;
		const int ret =
			read_copied(r, from + done, (char *)buf + done, part);

		if (ret < 0)
			return done ? (ssize_t)done : ret;
		done += part;
	}
	return (ssize_t)done;
}

const struct source_ops source_bpf = {
	.name = "bpf",
	.usual_path = "bpf",
	.whole_pages = true,
	.last_resort = true,
	.check = bpf_check,
	.open = bpf_open,
	.free = bpf_free,
	.buffers = bpf_buffers,
	.footprint = bpf_footprint,
	.reader_new = bpf_reader_new,
	.reader_free = bpf_reader_free,
	.read = bpf_read,
};
