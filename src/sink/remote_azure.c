/* SPDX-License-Identifier: MIT */
/*
 * Azure's block blobs, by the REST API of its Blob service ("Put Block", "Put
 * Block List", "Understanding block blobs"): up to 50,000 blocks of up to 4000
 * MiB since version 2019-12-12. What is not committed is no blob, and the
 * service forgets it after a week.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "net/url.h"
#include "sink/remote_blocks.h"
#include "sink/remote_sink.h"

/* An id's bytes, and its base64: all of a blob have the same length. */
#define ID_LEN 32
#define ID_BASE64_SIZE 45

struct azure {
	uint64_t run; /* so that those of two runs are never mixed */
};

static int add_common(struct curl_slist **list, const char *checksum)
{
	char line[80];
	int ret = remote_add_header(list, "x-ms-version: 2019-12-12");

	if (ret < 0 || checksum[0] == '\0')
		return ret;
	snprintf(line, sizeof(line), "Content-MD5: %s", checksum);
	return remote_add_header(list, line);
}

static int block_headers(
	void *ctx, struct curl_slist **list, struct avml_error *err)
{
	const struct block *block = ctx;

	(void)err;
	return add_common(list, block->checksum);
}

static void block_id(
	const struct azure *azure, uint64_t number, char id[ID_BASE64_SIZE])
{
	char text[ID_LEN + 1];

	snprintf(text, sizeof(text), "%016" PRIx64 "%016" PRIx64, azure->run,
		number);
	EVP_EncodeBlock(
		(unsigned char *)id, (const unsigned char *)text, ID_LEN);
}

/* `url` with two parameters more. */
static char *url_with_two(const char *url, const char *one, const char *two)
{
	char *longer = url_with(url, one);
	char *both = longer ? url_with(longer, two) : NULL;

	free(longer);
	return both;
}

static int azure_block(struct block *block, struct avml_error *err)
{
	struct blocks *b = block->blocks;
	char id[ID_BASE64_SIZE], parameter[sizeof("blockid=") + sizeof(id)];

	block_id(b->data, block->number, id);
	snprintf(parameter, sizeof(parameter), "blockid=%s", id);
	block->url = url_with_two(b->remote->to, "comp=block", parameter);
	if (!block->url)
		return avml_error_set_errno(err, ENOMEM, "%s", block->what);
	block->job.method = "PUT";
	block->job.headers = block_headers;
	block->job.headers_ctx = block;
	return 0;
}

/* --- the list of blocks --------------------------------------------------- */

#define LIST_BEGIN "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>"
#define LIST_END "</BlockList>"
#define ITEM_BEGIN "<Latest>"
#define ITEM_END "</Latest>"
#define ITEM_LEN \
	(sizeof(ITEM_BEGIN) - 1 + ID_BASE64_SIZE - 1 + sizeof(ITEM_END) - 1)

struct block_list {
	char *text;
	size_t len;
	char checksum[CHECKSUM_BASE64_SIZE];
};

static int make_list(struct blocks *b, struct block_list *list)
{
	char *to;

	list->len = sizeof(LIST_BEGIN) - 1 + b->count * ITEM_LEN +
		    sizeof(LIST_END) - 1;
	list->text = malloc(list->len + 1);
	if (!list->text)
		return -ENOMEM;
	to = stpcpy(list->text, LIST_BEGIN);
	for (uint64_t i = 0; i < b->count; i++) {
		char id[ID_BASE64_SIZE];

		block_id(b->data, i, id);
		to = stpcpy(stpcpy(stpcpy(to, ITEM_BEGIN), id), ITEM_END);
	}
	stpcpy(to, LIST_END);
	list->checksum[0] = '\0';
	if (b->checksum &&
		!(checksum_reset(b->checksum) &&
			checksum_add(b->checksum, list->text, list->len) &&
			checksum_end_base64(b->checksum, list->checksum)))
		blocks_lose_checksum(b, CHECKSUM_FAILED);
	return 0;
}

static ssize_t list_read(
	void *ctx, uint64_t at, void *buf, size_t size, struct avml_error *err)
{
	const struct block_list *list = ctx;

	(void)err;
	memcpy(buf, list->text + at, size);
	return (ssize_t)size;
}

static int list_headers(
	void *ctx, struct curl_slist **list, struct avml_error *err)
{
	const struct block_list *l = ctx;
	int ret = add_common(list, l->checksum);

	(void)err;
	if (ret == 0)
		ret = remote_add_header(list,
			"x-ms-blob-content-type: application/octet-stream");
	return ret == 0 ? remote_add_header(list, "Content-Type: text/xml")
			: ret;
}

static int azure_commit(struct blocks *b, struct avml_error *err)
{
	struct block_list list;
	struct http_job job = {
		.method = "PUT",
		.what = "the list of blocks",
		.headers = list_headers,
		.headers_ctx = &list,
	};
	char *url = url_with(b->remote->to, "comp=blocklist");
	int ret = url ? make_list(b, &list) : -ENOMEM;

	if (ret < 0) {
		free(url);
		return avml_error_set_errno(err, ENOMEM, "%s", job.what);
	}
	job.url = url;
	job.body = (struct http_body){ list.len, list_read, NULL, &list };
	http_submit(b->http, &job);
	ret = http_wait_for(b->http, &job, b->base.stop_level, err);
	http_job_release(b->http, &job);
	b->unsure = ret < 0 && job.unsure;
	free(list.text);
	free(url);
	return ret;
}

static const struct block_dialect azure_dialect = {
	.checksum = CHECKSUM_MD5,
	.block_min = 5 * MIB,
	.block_max = 4000 * MIB,
	.blocks_max = 50000,
	.block = azure_block,
	.commit = azure_commit,
	.free = free,
};

int azure_new(const struct avml_remote *remote, uint64_t most, bool of_file,
	struct avml_sink **sink, struct avml_error *err)
{
	struct azure *azure = calloc(1, sizeof(*azure));
	struct timespec now;

	if (!azure)
		return avml_error_set_errno(err, ENOMEM, "an upload");
	clock_gettime(CLOCK_REALTIME, &now);
	azure->run = (uint64_t)now.tv_sec << 32 ^ (uint64_t)now.tv_nsec ^
		     (uint64_t)getpid() << 20;
	return blocks_new(
		remote, &azure_dialect, azure, most, of_file, sink, err);
}
