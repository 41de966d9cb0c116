/* SPDX-License-Identifier: MIT */
#include "cmd/remote.h"

#include <errno.h>
#include <string.h>

#include "cmd/print.h"
#include "cmd/secret.h"

/* Where a destination may be that is not on the command line. */
#define URL_VARIABLE "AVML_URL"
#define SAS_VARIABLE "AVML_SAS_URL"
#define S3_VARIABLE "AVML_S3"

static void on_notice(void *ctx, const char *text)
{
	const struct remote_args *args = ctx;

	if (!args->quiet)
		print_line("note: %s", text);
}

/* The word that a kind is told by comes before others for it. */
static const struct {
	const char *word;
	enum avml_remote_kind kind;
	bool told; /* alone: no command line has it */
} kinds[] = {
	{ "put", AVML_REMOTE_PUT, false },
	{ "blob", AVML_REMOTE_BLOB, false },
	{ "upload-blob", AVML_REMOTE_BLOB, false },
	{ "s3", AVML_REMOTE_S3, false },
	{ "parts", AVML_REMOTE_PARTS, true },
	{ "tcp", AVML_REMOTE_TCP, false },
	{ "tls", AVML_REMOTE_TLS, false },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static bool parse_kind(const char *word, enum avml_remote_kind *kind)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (!kinds[i].told && strcmp(word, kinds[i].word) == 0) {
			*kind = kinds[i].kind;
			return true;
		}
	}
	return false;
}

const char *remote_kind_word(enum avml_remote_kind kind)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (kinds[i].kind == kind)
			return kinds[i].word;
	}
	return NULL;
}

/* --- options that a kind would not look at -------------------------------- */

static int check_s3(const struct remote_args *args, enum avml_remote_kind kind,
	struct avml_error *err)
{
	const bool placed =
		args->endpoint_url || args->region || args->path_style;

	if (kind != AVML_REMOTE_S3 &&
		(placed || args->part_urls || args->part_mib ||
			args->part_concurrency))
		return avml_error_set(err, EINVAL,
			"--part-urls, --endpoint-url, --region, --path-style, "
			"--part-size and --part-concurrency go with S3");
	if (args->part_urls && (placed || args->part_mib))
		return avml_error_set(err, EINVAL,
			"the list of --part-urls says endpoint, region, style "
			"and size itself");
	if (args->no_checksum && kind != AVML_REMOTE_S3 &&
		kind != AVML_REMOTE_BLOB)
		return avml_error_set(
			err, EINVAL, "--no-checksum goes with a blob and S3");
	return 0;
}

static int check_kind(const struct remote_args *args,
	enum avml_remote_kind kind, struct avml_error *err)
{
	if (kind != AVML_REMOTE_BLOB && (args->block_mib || args->concurrency))
		return avml_error_set(err, EINVAL,
			"--sas-block-size and --sas-block-concurrency go with "
			"a blob");
	if (kind == AVML_REMOTE_TCP &&
		(args->cacert || args->cert || args->key || args->pin))
		return avml_error_set(err, EINVAL,
			"--cacert, --cert, --key and --pin go with TLS, and "
			"tcp has none");
	if (!args->cert != !args->key)
		return avml_error_set(
			err, EINVAL, "--cert and --key go together");
	return check_s3(args, kind, err);
}

/* --- what they come to ---------------------------------------------------- */

static void fill(
	struct remote_args *args, enum avml_remote_kind kind, const char *place)
{
	const bool parts = kind == AVML_REMOTE_S3 || kind == AVML_REMOTE_PARTS;

	/* It is read later, into memory that is not ours to wipe. */
	if (args->key)
		secret_keep_in();
	args->remote = (struct avml_remote){
		.kind = kind,
		.to = place,
		.s3 = &args->keys,
		.parts = &args->list.parts,
		.cacert = args->cacert,
		.cert = args->cert,
		.key = args->key,
		.pin = args->pin,
		.connect_s = (unsigned int)args->connect_s,
		.stall_s = (unsigned int)args->stall_s,
		.retries = (unsigned int)args->retries,
		.retry_s = (unsigned int)args->retry_s,
		.rate = args->rate,
		.block_mib = parts ? args->part_mib : args->block_mib,
		.concurrency = (unsigned int)(parts ? args->part_concurrency
						    : args->concurrency),
		.no_checksum = args->no_checksum,
		.ctx = args,
		.notice = on_notice,
	};
	avml_remote_name(&args->remote, args->name, sizeof(args->name));
}

/* To be released at the end. */
static const char *keep(struct remote_args *args, const char *secret)
{
	if (secret)
		args->taken[args->taken_count++] = secret;
	return secret;
}

static const char *take_variable(struct remote_args *args, const char *name)
{
	return keep(args, secret_take_variable(name));
}

/* Of one of the three: `to`, a file that has it, or the environment. */
static int take_url(struct remote_args *args, enum avml_remote_kind kind,
	const char *to, const char *file, struct avml_error *err)
{
	const char *variable =
		kind == AVML_REMOTE_BLOB ? SAS_VARIABLE : URL_VARIABLE;
	const char *place = to;
	int ret = 0;

	if (to && file)
		return avml_error_set(
			err, EINVAL, "where to send it is said twice");
	if (file)
		ret = secret_read(file, &place, err);
	else if (!to)
		place = take_variable(args, variable);
	if (ret < 0)
		return ret;
	if (file)
		keep(args, place);
	if (!place)
		return avml_error_set(err, EINVAL,
			"where to send it is missing: as an operand, in a "
			"file (--url-file) or in the environment (%s)",
			variable);
	fill(args, kind, place);
	return 0;
}

/* The first of these variables that is set. */
static const char *take_either(
	struct remote_args *args, const char *one, const char *other)
{
	const char *value = take_variable(args, one);

	return value ? value : take_variable(args, other);
}

/* Of the environment, as AWS's own tools have it. */
static int take_keys(struct remote_args *args, struct avml_error *err)
{
	args->keys = (struct avml_remote_s3){
		.endpoint = args->endpoint_url,
		.region = args->region,
		.key_id = take_variable(args, "AWS_ACCESS_KEY_ID"),
		.secret = take_variable(args, "AWS_SECRET_ACCESS_KEY"),
		.token = take_variable(args, "AWS_SESSION_TOKEN"),
		.path_style = args->path_style,
	};
	if (!args->keys.endpoint)
		args->keys.endpoint = take_either(
			args, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL");
	if (!args->keys.region)
		args->keys.region =
			take_either(args, "AWS_REGION", "AWS_DEFAULT_REGION");
	if (!args->keys.key_id || !args->keys.secret)
		return avml_error_set(err, EACCES,
			"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not "
			"both in the environment (--part-urls needs no key)");
	return 0;
}

/* By a list of URLs, or with keys to `to`. */
static int take_s3(
	struct remote_args *args, const char *to, struct avml_error *err)
{
	int ret;

	if (args->url_file)
		return avml_error_set(
			err, EINVAL, "--url-file does not go with S3");
	if (args->part_urls && to)
		return avml_error_set(err, EINVAL,
			"where to send it is said twice: the list of "
			"--part-urls has it");
	if (args->part_urls) {
		ret = part_list_read(args->part_urls, &args->list, err);
		if (ret == 0)
			fill(args, AVML_REMOTE_PARTS, args->list.to);
		return ret;
	}
	if (!to)
		to = take_variable(args, S3_VARIABLE);
	if (!to)
		return avml_error_set(err, EINVAL,
			"where to send it is missing: s3://BUCKET/KEY as an "
			"operand or in the environment (" S3_VARIABLE
			"), or a list of URLs (--part-urls)");
	ret = take_keys(args, err);
	if (ret == 0)
		fill(args, AVML_REMOTE_S3, to);
	return ret;
}

/* --- of commands ---------------------------------------------------------- */

int remote_args_take(struct remote_args *args, const char *kind, const char *to,
	struct avml_error *err)
{
	enum avml_remote_kind of;
	char shown[SECRET_SHOWN];
	int ret;

	if (!parse_kind(kind, &of))
		return avml_error_set(err, EINVAL,
			"\"%s\" is no way to send an image",
			secret_shown(kind, shown));
	ret = check_kind(args, of, err);
	if (ret < 0)
		return ret;
	return of == AVML_REMOTE_S3
		       ? take_s3(args, to, err)
		       : take_url(args, of, to, args->url_file, err);
}

/* How many are named. */
static int count_places(const struct remote_args *args)
{
	return (args->url || args->url_file ? 1 : 0) +
	       (args->sas_url || args->sas_url_file ? 1 : 0) +
	       (args->s3 || args->part_urls ? 1 : 0);
}

static int count_once(const struct remote_args *args, struct avml_error *err)
{
	const int count = count_places(args);

	if (count > 1)
		return avml_error_set(err, EINVAL,
			"a URL, a SAS URL and S3 are different places, and one "
			"is to get the image (--url, --sas-url, --s3; "
			"in the environment " URL_VARIABLE ", " SAS_VARIABLE
			", " S3_VARIABLE ")");
	return count;
}

int remote_args_for_acquire(
	struct remote_args *args, bool *wanted, struct avml_error *err)
{
	enum avml_remote_kind kind = AVML_REMOTE_BLOB;
	int ret = count_once(args, err);

	*wanted = false;
	if (ret == 0) {
		args->url = secret_take_variable(URL_VARIABLE);
		args->sas_url = secret_take_variable(SAS_VARIABLE);
		args->s3 = take_variable(args, S3_VARIABLE);
		ret = count_once(args, err);
	}
	if (ret <= 0)
		return ret;
	*wanted = true;
	if (args->s3 || args->part_urls)
		kind = AVML_REMOTE_S3;
	else if (args->url || args->url_file)
		kind = AVML_REMOTE_PUT;
	ret = check_kind(args, kind, err);
	if (ret < 0)
		return ret;
	if (kind == AVML_REMOTE_S3)
		return take_s3(args, args->s3, err);
	return kind == AVML_REMOTE_PUT
		       ? take_url(args, kind, args->url, args->url_file, err)
		       : take_url(args, kind, args->sas_url, args->sas_url_file,
				 err);
}

int remote_args_unused(const struct remote_args *args, struct avml_error *err)
{
	const struct remote_args none = REMOTE_ARGS_DEFAULTS;

	if (args->cacert || args->cert || args->key || args->pin ||
		args->block_mib || args->concurrency || args->rate ||
		args->endpoint_url || args->region || args->path_style ||
		args->no_checksum || args->part_mib || args->part_concurrency ||
		args->retries != none.retries ||
		args->retry_s != none.retry_s ||
		args->connect_s != none.connect_s ||
		args->stall_s != none.stall_s)
		return avml_error_set(err, EINVAL,
			"options of a destination go with --url, --sas-url or "
			"--s3");
	return 0;
}

void remote_args_release(struct remote_args *args)
{
	part_list_release(&args->list);
	while (args->taken_count > 0)
		secret_release(&args->taken[--args->taken_count]);
}
