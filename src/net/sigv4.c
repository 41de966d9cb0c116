/* SPDX-License-Identifier: MIT */
#include "net/sigv4.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "net/checksum.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define TERMINATOR "aws4_request"
#define KEY_SIZE 32
/* Those that are added: host, date, token, SHA-256. */
#define ADDED_MAX 4
/* And to a query: algorithm, credential, date, expires, headers, token. */
#define PRESIGN_ADDED_MAX 6

struct signing {
	const struct sigv4_keys *keys;
	const struct sigv4_request *request;
	const char *date;
	struct pair headers[SIGV4_HEADERS_MAX + ADDED_MAX];
	size_t header_count;
	bool presigned; /* all but the host is in the query */
	char *scope;	/* "day/region/service/aws4_request" */
	char *names;	/* of the headers, with semicolons between */
};

static void signing_release(struct signing *s)
{
	free(s->scope);
	free(s->names);
}

static void add_header(struct signing *s, const char *name, const char *value)
{
	s->headers[s->header_count++] = (struct pair){ name, value };
}

static int compare_names(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* All headers in the order of their names. */
static void collect_headers(struct signing *s)
{
	const struct sigv4_request *r = s->request;

	add_header(s, "host", r->host);
	if (!s->presigned)
		add_header(s, "x-amz-date", s->date);
	if (!s->presigned && strcmp(s->keys->service, "s3") == 0)
		add_header(s, "x-amz-content-sha256", r->payload);
	if (!s->presigned && s->keys->token)
		add_header(s, "x-amz-security-token", s->keys->token);
	for (size_t i = 0; i < r->header_count; i++)
		add_header(s, r->headers[i].name, r->headers[i].value);
	qsort(s->headers, s->header_count, sizeof(*s->headers), compare_names);
}

static char *join_names(const struct signing *s)
{
	size_t room = 1;
	char *names, *end;

	for (size_t i = 0; i < s->header_count; i++)
		room += strlen(s->headers[i].name) + 1;
	names = end = malloc(room);
	if (!names)
		return NULL;
	*end = '\0';
	for (size_t i = 0; i < s->header_count; i++) {
		if (i > 0)
			*end++ = ';';
		end = stpcpy(end, s->headers[i].name);
	}
	return names;
}

static bool add(struct checksum *sum, const char *text)
{
	return checksum_add(sum, text, strlen(text));
}

/* Without spaces around it, and one in the place of several. */
static bool add_value(struct checksum *sum, const char *value)
{
	bool is_first = true;

	for (;;) {
		size_t len;

		value += strspn(value, " ");
		len = strcspn(value, " ");
		if (len == 0)
			return true;
		if ((!is_first && !add(sum, " ")) ||
			!checksum_add(sum, value, len))
			return false;
		is_first = false;
		value += len;
	}
}

/* The path in a line, the query in the next. */
static bool add_target(struct checksum *sum, const char *target)
{
	const size_t len = strcspn(target, "?");

	return checksum_add(sum, target, len) && add(sum, "\n") &&
	       add(sum, target[len] ? target + len + 1 : "") && add(sum, "\n");
}

static bool add_request(struct checksum *sum, const struct signing *s)
{
	if (!add(sum, s->request->method) || !add(sum, "\n") ||
		!add_target(sum, s->request->target))
		return false;
	for (size_t i = 0; i < s->header_count; i++) {
		if (!add(sum, s->headers[i].name) || !add(sum, ":") ||
			!add_value(sum, s->headers[i].value) || !add(sum, "\n"))
			return false;
	}
	return add(sum, "\n") && add(sum, s->names) && add(sum, "\n") &&
	       add(sum, s->request->payload);
}

/* SHA-256 of the canonical request, of which no copy is made. */
static int hash_request(const struct signing *s, char hex[CHECKSUM_HEX_SIZE],
	struct avml_error *err)
{
	struct checksum *sum = checksum_new(CHECKSUM_SHA256, err);
	bool done;

	if (!sum)
		return -err->code;
	done = add_request(sum, s) && checksum_end_hex(sum, hex);
	checksum_free(sum);
	if (!done)
		return avml_error_set_errno(err, EIO, "SHA-256");
	return 0;
}

/* `key` becomes the HMAC of the text by it. */
static bool derive(unsigned char key[KEY_SIZE], const char *text, size_t len)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	bool done;

	done = HMAC(EVP_sha256(), key, KEY_SIZE, (const unsigned char *)text,
		       len, bytes, &n) &&
	       n == KEY_SIZE;
	if (done)
		memcpy(key, bytes, KEY_SIZE);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return done;
}

/* The key of that day, region and service. */
static int derive_key(const struct signing *s, unsigned char key[KEY_SIZE],
	struct avml_error *err)
{
	char *first = NULL;
	unsigned int n = 0;
	bool done;

	if (asprintf(&first, "AWS4%s", s->keys->secret) < 0)
		return avml_error_set_errno(err, ENOMEM, "signature");
	/* "20130524", of the date. */
	done = HMAC(EVP_sha256(), first, (int)strlen(first),
		       (const unsigned char *)s->date, 8, key, &n) &&
	       n == KEY_SIZE &&
	       derive(key, s->keys->region, strlen(s->keys->region)) &&
	       derive(key, s->keys->service, strlen(s->keys->service)) &&
	       derive(key, TERMINATOR, strlen(TERMINATOR));
	OPENSSL_cleanse(first, strlen(first));
	free(first);
	return done ? 0 : avml_error_set_errno(err, EIO, "HMAC-SHA-256");
}

static int no_memory(struct avml_error *err)
{
	avml_error_set_errno(err, ENOMEM, "signature");
	return -ENOMEM;
}

/* By what the secret's key makes of the request. */
static int sign(const struct signing *s, char hex[CHECKSUM_HEX_SIZE],
	struct avml_error *err)
{
	CLEANUP_FREE char *text = NULL;
	unsigned char key[KEY_SIZE] = { 0 };
	int ret = hash_request(s, hex, err);

	if (ret == 0 && asprintf(&text, ALGORITHM "\n%s\n%s\n%s", s->date,
				s->scope, hex) < 0) {
		text = NULL;
		ret = no_memory(err);
	}
	if (ret == 0)
		ret = derive_key(s, key, err);
	if (ret == 0 && !derive(key, text, strlen(text)))
		ret = avml_error_set_errno(err, EIO, "HMAC-SHA-256");
	/* The last of them is no secret: it is the signature. */
	if (ret == 0)
		hex_text(key, KEY_SIZE, hex);
	OPENSSL_cleanse(key, sizeof(key));
	return ret;
}

static int begin(struct signing *s, struct avml_error *err)
{
	if (s->request->header_count > SIGV4_HEADERS_MAX) {
		avml_error_set(err, EINVAL, "too many headers");
		return -EINVAL;
	}
	/* What this host has configured for OpenSSL is not to be trusted. */
	if (!OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
		return no_memory(err);
	collect_headers(s);
	s->names = join_names(s);
	if (!s->names || asprintf(&s->scope, "%.8s/%s/%s/" TERMINATOR, s->date,
				 s->keys->region, s->keys->service) < 0) {
		s->scope = NULL;
		return no_memory(err);
	}
	return 0;
}

/* Of years of four digits. */
static int format_date(
	time_t now, char date[SIGV4_DATE_SIZE], struct avml_error *err)
{
	struct tm tm;

	if (!gmtime_r(&now, &tm) ||
		strftime(date, SIGV4_DATE_SIZE, "%Y%m%dT%H%M%SZ", &tm) !=
			SIGV4_DATE_SIZE - 1)
		return avml_error_set(err, EINVAL,
			"this host's clock has no date to sign with");
	return 0;
}

int sigv4_sign(const struct sigv4_keys *keys,
	const struct sigv4_request *request, time_t now,
	struct sigv4_signature *signature, struct avml_error *err)
{
	CLEANUP(signing_release)
	struct signing s = {
		.keys = keys,
		.request = request,
		.date = signature->date,
	};
	char hex[CHECKSUM_HEX_SIZE];
	int ret;

	signature->authorization = NULL;
	ret = format_date(now, signature->date, err);
	if (ret == 0)
		ret = begin(&s, err);
	if (ret == 0)
		ret = sign(&s, hex, err);
	if (ret < 0)
		return ret;
	if (asprintf(&signature->authorization,
		    ALGORITHM " Credential=%s/%s, SignedHeaders=%s, "
			      "Signature=%s",
		    keys->id, s.scope, s.names, hex) < 0) {
		signature->authorization = NULL;
		return avml_error_set_errno(err, ENOMEM, "signature");
	}
	return 0;
}

/* What the headers would be, and whoever has the URL may do. */
static char *presigned_target(const struct signing *s,
	const struct sigv4_presign *what, struct avml_error *err)
{
	CLEANUP_FREE char *credential = NULL;
	struct pair query[TARGET_PARAMETERS_MAX];
	char expires[16], *target;
	size_t n = 0;

	if (what->query_count > TARGET_PARAMETERS_MAX - PRESIGN_ADDED_MAX) {
		avml_error_set(err, EINVAL, "too many parameters");
		return NULL;
	}
	if (asprintf(&credential, "%s/%s", s->keys->id, s->scope) < 0)
		credential = NULL;
	snprintf(expires, sizeof(expires), "%u", what->expires_s);
	query[n++] = (struct pair){ "X-Amz-Algorithm", ALGORITHM };
	query[n++] = (struct pair){ "X-Amz-Credential", credential };
	query[n++] = (struct pair){ "X-Amz-Date", s->date };
	query[n++] = (struct pair){ "X-Amz-Expires", expires };
	query[n++] = (struct pair){ "X-Amz-SignedHeaders", s->names };
	if (s->keys->token)
		query[n++] =
			(struct pair){ "X-Amz-Security-Token", s->keys->token };
	for (size_t i = 0; i < what->query_count; i++)
		query[n++] = what->query[i];
	target = credential ? target_new(what->path, query, n) : NULL;
	if (!target)
		avml_error_set_errno(err, ENOMEM, "signature");
	return target;
}

int sigv4_presign(const struct sigv4_keys *keys,
	const struct sigv4_presign *what, time_t now, char **target,
	struct avml_error *err)
{
	CLEANUP_FREE char *unsigned_target = NULL;
	struct sigv4_request request = {
		.method = what->method,
		.host = what->host,
		.payload = SIGV4_UNSIGNED,
	};
	char date[SIGV4_DATE_SIZE], hex[CHECKSUM_HEX_SIZE];
	CLEANUP(signing_release)
	struct signing s = {
		.keys = keys,
		.request = &request,
		.date = date,
		.presigned = true,
	};
	int ret;

	*target = NULL;
	ret = format_date(now, date, err);
	if (ret == 0)
		ret = begin(&s, err);
	if (ret < 0)
		return ret;
	unsigned_target = presigned_target(&s, what, err);
	if (!unsigned_target)
		return -err->code;
	request.target = unsigned_target;
	ret = sign(&s, hex, err);
	if (ret < 0)
		return ret;
	if (asprintf(target, "%s&X-Amz-Signature=%s", unsigned_target, hex) <
		0) {
		*target = NULL;
		return avml_error_set_errno(err, ENOMEM, "signature");
	}
	return 0;
}
