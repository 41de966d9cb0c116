/* SPDX-License-Identifier: MIT */
#include "net/trust.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "net/url.h"

/* Of a URL that is shown. */
#define NAME_SIZE 512

/* Where distributions have the certificates they trust, in one file. */
static const char *const bundles[] = {
	"/etc/ssl/certs/ca-certificates.crt", /* Debian, Ubuntu, Alpine, Arch */
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora, RHEL */
	"/etc/pki/tls/certs/ca-bundle.crt",		     /* CentOS 6 */
	"/etc/ssl/ca-bundle.pem",			     /* SUSE */
	"/var/lib/ca-certificates/ca-bundle.pem",
	"/etc/pki/tls/cacert.pem",
	"/etc/ssl/cert.pem", /* Alpine, without the package */
	"/usr/share/ssl/certs/ca-bundle.crt",
	"/usr/local/share/certs/ca-root-nss.crt",
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool ready;

static void init(void)
{
	/* What the host's openssl.cnf says, its modules too, is not wanted. */
	ready = OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1 &&
		curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

int trust_init(struct avml_error *err)
{
	if (pthread_once(&once, init) == 0 && ready)
		return 0;
	return avml_error_set(
		err, EIO, "the libraries for networks cannot be started");
}

const char *trust_bundle(const struct avml_remote *remote)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the threads come later */
	const char *given = getenv("SSL_CERT_FILE");

	if (remote->cacert)
		return remote->cacert;
	if (given && *given)
		return given;
	for (size_t i = 0; i < sizeof(bundles) / sizeof(bundles[0]); i++) {
		if (access(bundles[i], R_OK) == 0)
			return bundles[i];
	}
	return NULL;
}

static int check_file(
	const char *path, const char *what, struct avml_error *err)
{
	char name[NAME_SIZE];

	/* It has slipped there, and may have secrets. */
	if (path && strstr(path, "://")) {
		url_name(path, name, sizeof(name));
		return avml_error_set(err, EINVAL,
			"%s \"%s\" is a URL, not a file", what, name);
	}
	if (path && access(path, R_OK) < 0)
		return avml_error_set_errno(
			err, errno, "%s %s cannot be read", what, path);
	return 0;
}

int trust_check_pin(const struct avml_remote *remote, struct avml_error *err)
{
	/* libcurl takes anything else for the name of a file. */
	if (!remote->pin || strncmp(remote->pin, "sha256//", 8) == 0)
		return 0;
	return avml_error_set(err, EINVAL,
		"the pin \"%.80s\" does not begin with sha256//", remote->pin);
}

int trust_check(const struct avml_remote *remote, struct avml_error *err)
{
	const char *bundle = trust_bundle(remote);
	int ret;

	if (!bundle)
		return avml_error_set(err, ENOENT,
			"there is no file of certificates to trust: neither "
			"%s nor another known place has one (--cacert or "
			"SSL_CERT_FILE names it)",
			bundles[0]);
	ret = trust_check_pin(remote, err);
	if (ret == 0)
		ret = check_file(
			bundle, "the file of certificates to trust", err);
	if (ret == 0)
		ret = check_file(remote->cert, "the certificate", err);
	return ret == 0 ? check_file(remote->key, "the key", err) : ret;
}

#define SET(option, value)                                            \
	do {                                                          \
		if (code == CURLE_OK)                                 \
			code = curl_easy_setopt(curl, option, value); \
	} while (0)

CURLcode trust_set(
	CURL *curl, const struct avml_remote *remote, const char *bundle)
{
	CURLcode code = CURLE_OK;

	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_USERAGENT, "avml/" AVML_VERSION);
	SET(CURLOPT_CONNECTTIMEOUT, (long)remote->connect_s);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	/* Names of hosts that nobody answers for must not hold the end up. */
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_CAPATH, NULL);
	SET(CURLOPT_CAINFO, bundle);
	if (remote->cert)
		SET(CURLOPT_SSLCERT, remote->cert);
	if (remote->key)
		SET(CURLOPT_SSLKEY, remote->key);
	/* Else OpenSSL asks for a key's on a terminal, and waits for it. */
	SET(CURLOPT_KEYPASSWD, "");
	if (remote->pin)
		SET(CURLOPT_PINNEDPUBLICKEY, remote->pin);
	return code;
}
