/* SPDX-License-Identifier: MIT */
/* Where a command sends an image, as its options and the environment say. */
#ifndef CMD_REMOTE_H
#define CMD_REMOTE_H

#include <avml/remote.h>

#include "cmd/option.h"
#include "cmd/part_list.h"

struct remote_args {
	const char *url, *url_file; /* of a PUT; the file of any, elsewhere */
	const char *sas_url;	    /* of a blob, for acquire and upload */
	const char *sas_url_file;   /* for acquire */
	const char *s3;		    /* for acquire */
	const char *part_urls, *endpoint_url, *region;
	bool path_style, no_checksum;
	uint64_t part_mib, part_concurrency;
	const char *cacert, *cert, *key, *pin;
	uint64_t connect_s, stall_s, retries, retry_s;
	uint64_t rate;
	uint64_t block_mib, concurrency;
	/* What they come to: see remote_args_take(). */
	struct avml_remote remote;
	struct avml_remote_s3 keys;
	struct part_list list;
	const char *taken[8]; /* of a file or the environment, to be released */
	unsigned int taken_count;
	char name[512]; /* as it may be shown */
	bool quiet;
};

/* By the same names. */
#define REMOTE_ARGS_DEFAULTS AVML_REMOTE_DEFAULTS

/* NOLINTBEGIN(bugprone-macro-parentheses): initializers of members, no sums */
#define REMOTE_NUMBER(option, at, argument, text, low, high)           \
	{                                                              \
		.name = option, .kind = OPTION_NUMBER, .offset = at,   \
		.arg = argument, .help = text, .min = low, .max = high \
	}
#define REMOTE_SECRET(option, at, argument, text) \
	REMOTE_SECRET_ALSO(option, NULL, at, argument, text)
#define REMOTE_SECRET_ALSO(option, other, at, argument, text)               \
	{                                                                   \
		.name = option, .also = other, .kind = OPTION_TEXT,         \
		.offset = at, .arg = argument, .help = text, .secret = true \
	}
/* What all commands have that send; `AT` gives the place of a member. */
#define OPTIONS_REMOTE(AT)                                                     \
	REMOTE_NUMBER("sas-block-size", AT(block_mib), "MiB",                  \
		"blocks of a blob, at the least (5)", 1, 4000),                \
		REMOTE_NUMBER("sas-block-concurrency", AT(concurrency), "N",   \
			"of them at a time, at most 10", 1, 1000000),          \
		OPTION_TEXT_AT("part-urls", AT(part_urls), "FILE",             \
			"to S3 by the URLs of avml-part-urls"),                \
		OPTION_TEXT_AT("endpoint-url", AT(endpoint_url), "URL",        \
			"the store of S3's kind (AWS)"),                       \
		OPTION_TEXT_AT("region", AT(region), "NAME",                   \
			"its region (us-east-1)"),                             \
		OPTION_FLAG_AT("path-style", AT(path_style),                   \
			"of it: HOST/BUCKET, not BUCKET.HOST"),                \
		REMOTE_NUMBER("part-size", AT(part_mib), "MiB",                \
			"parts of S3, at the least (5)", 1, 5120),             \
		REMOTE_NUMBER("part-concurrency", AT(part_concurrency), "N",   \
			"of them at a time, at most 10", 1, 1000000),          \
		OPTION_FLAG_AT("no-checksum", AT(no_checksum),                 \
			"send blocks and parts without"),                      \
		OPTION_TEXT_AT("cacert", AT(cacert), "FILE",                   \
			"whom to trust, PEM (the system's)"),                  \
		OPTION_TEXT_AT(                                                \
			"cert", AT(cert), "FILE", "certificate to show, PEM"), \
		OPTION_TEXT_AT("key", AT(key), "FILE", "its key, PEM"),        \
		OPTION_TEXT_AT("pin", AT(pin), "HASH",                         \
			"sha256//BASE64 of the peer's public key"),            \
		REMOTE_NUMBER("retries", AT(retries), "N",                     \
			"times that a request is made again (10)", 0,          \
			1000000),                                              \
		REMOTE_NUMBER("retry-time", AT(retry_s), "SECONDS",            \
			"for which it is (900)", 0, 31536000),                 \
		REMOTE_NUMBER("connect-timeout", AT(connect_s), "SECONDS",     \
			"for a connection (30)", 1, 86400),                    \
		REMOTE_NUMBER("stall-timeout", AT(stall_s), "SECONDS",         \
			"in which no byte moves (60)", 1, 86400),              \
	{                                                                      \
		.name = "rate-limit", .kind = OPTION_SIZE, .offset = AT(rate), \
		.arg = "BYTES",                                                \
		.help = "a second, at the most; with K, M or G", .min = 1      \
	}
/* NOLINTEND(bugprone-macro-parentheses) */

/*
 * Make `remote` of the arguments. `kind` is a word of the command line ("put",
 * "blob", "upload-blob", "s3", "tcp", "tls"), `to` what it was given as an
 * operand, or NULL. 0; -EINVAL: wrong usage; another -errno.
 */
int remote_args_take(struct remote_args *args, const char *kind, const char *to,
	struct avml_error *err);

/* The same for acquire, whose options say which kind; false: none is wanted. */
int remote_args_for_acquire(
	struct remote_args *args, bool *wanted, struct avml_error *err);

/* What a report calls a kind: a word of the command line, or "parts". */
const char *remote_kind_word(enum avml_remote_kind kind);

/* -EINVAL if there are options of a destination without one. */
int remote_args_unused(const struct remote_args *args, struct avml_error *err);

/* All that was read or taken for it. The options' own are option_release()'s.
 */
void remote_args_release(struct remote_args *args);

#endif
