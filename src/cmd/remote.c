/* SPDX-License-Identifier: MIT */
#include "cmd/remote.h"

#include <errno.h>
#include <string.h>

#include "cmd/print.h"
#include "cmd/secret.h"

/* Where a URL may be that is not on the command line. */
#define URL_VARIABLE "AVML_URL"
#define SAS_VARIABLE "AVML_SAS_URL"

static void on_notice(void *ctx, const char *text)
{
	const struct remote_args *args = ctx;

	if (!args->quiet)
		print_line("note: %s", text);
}

static bool parse_kind(const char *word, enum avml_remote_kind *kind)
{
	static const struct {
		const char *word;
		enum avml_remote_kind kind;
	} kinds[] = {
		{ "put", AVML_REMOTE_PUT },
		{ "blob", AVML_REMOTE_BLOB },
		{ "upload-blob", AVML_REMOTE_BLOB },
		{ "tcp", AVML_REMOTE_TCP },
		{ "tls", AVML_REMOTE_TLS },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(word, kinds[i].word) == 0) {
			*kind = kinds[i].kind;
			return true;
		}
	}
	return false;
}

/* Options that this kind would not look at. */
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
	return 0;
}

/* `to` may be NULL: of a file then, or of the environment. */
static int find_place(const char *to, const char *file, const char *variable,
	const char **place, struct avml_error *err)
{
	if (to && file)
		return avml_error_set(
			err, EINVAL, "where to send it is said twice");
	*place = to;
	if (file)
		return secret_read(file, place, err);
	if (!to)
		*place = secret_take_variable(variable);
	return 0;
}

static void fill(
	struct remote_args *args, enum avml_remote_kind kind, const char *place)
{
	args->remote = (struct avml_remote){
		.kind = kind,
		.to = place,
		.cacert = args->cacert,
		.cert = args->cert,
		.key = args->key,
		.pin = args->pin,
		.connect_s = (unsigned int)args->connect_s,
		.stall_s = (unsigned int)args->stall_s,
		.retries = (unsigned int)args->retries,
		.retry_s = (unsigned int)args->retry_s,
		.rate = args->rate,
		.block_mib = args->block_mib,
		.concurrency = (unsigned int)args->concurrency,
		.ctx = args,
		.notice = on_notice,
	};
	avml_remote_name(&args->remote, args->name, sizeof(args->name));
}

int remote_args_take(struct remote_args *args, const char *kind, const char *to,
	struct avml_error *err)
{
	enum avml_remote_kind of;
	const char *variable, *place = NULL;
	char shown[SECRET_SHOWN];
	int ret;

	if (!parse_kind(kind, &of))
		return avml_error_set(err, EINVAL,
			"\"%s\" is no way to send an image",
			secret_shown(kind, shown));
	ret = check_kind(args, of, err);
	variable = of == AVML_REMOTE_BLOB ? SAS_VARIABLE : URL_VARIABLE;
	if (ret == 0)
		ret = find_place(to, args->url_file, variable, &place, err);
	if (ret < 0)
		return ret;
	if (!place)
		return avml_error_set(err, EINVAL,
			"where to send it is missing: as an operand, in a "
			"file (--url-file) or in the environment (%s)",
			variable);
	fill(args, of, place);
	return 0;
}

int remote_args_for_acquire(
	struct remote_args *args, bool *wanted, struct avml_error *err)
{
	enum avml_remote_kind kind = AVML_REMOTE_PUT;
	const char *place = NULL, *sas = NULL;
	int ret = 0;

	if ((args->url || args->url_file) &&
		(args->sas_url || args->sas_url_file))
		return avml_error_set(err, EINVAL,
			"--url and --sas-url are two places, and one is to "
			"get the image");
	if (args->url || args->url_file) {
		ret = find_place(
			args->url, args->url_file, URL_VARIABLE, &place, err);
	} else if (args->sas_url || args->sas_url_file) {
		ret = find_place(args->sas_url, args->sas_url_file,
			SAS_VARIABLE, &sas, err);
	} else {
		place = secret_take_variable(URL_VARIABLE);
		sas = secret_take_variable(SAS_VARIABLE);
		if (place && sas)
			ret = avml_error_set(err, EINVAL,
				URL_VARIABLE
				" and " SAS_VARIABLE
				" are two places, and one is to get the image");
	}
	if (ret < 0)
		return ret;
	*wanted = place || sas;
	if (sas)
		kind = AVML_REMOTE_BLOB;
	if (*wanted) {
		ret = check_kind(args, kind, err);
		fill(args, kind, sas ? sas : place);
	}
	return ret;
}

int remote_args_unused(const struct remote_args *args, struct avml_error *err)
{
	const struct remote_args none = REMOTE_ARGS_DEFAULTS;

	if (args->cacert || args->cert || args->key || args->pin ||
		args->block_mib || args->concurrency || args->rate ||
		args->retries != none.retries ||
		args->retry_s != none.retry_s ||
		args->connect_s != none.connect_s ||
		args->stall_s != none.stall_s)
		return avml_error_set(err, EINVAL,
			"options of a destination go with --url or --sas-url");
	return 0;
}
