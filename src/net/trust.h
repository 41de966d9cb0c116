/* SPDX-License-Identifier: MIT */
/*
 * Whom a connection trusts, and with what it shows itself, as options of
 * libcurl. A certificate and the name in it are always verified; of OpenSSL's
 * configuration and of name services of the host nothing is used.
 */
#ifndef NET_TRUST_H
#define NET_TRUST_H

#include <curl/curl.h>

#include <avml/remote.h>

/*
 * What the libraries do once in a process, before there are threads. 0 or
 * -errno.
 */
int trust_init(struct avml_error *err);

/* That a pin, if there is one, is in the form that libcurl takes. */
int trust_check_pin(const struct avml_remote *remote, struct avml_error *err);

/*
 * The files that `remote` names are there and can be read, and whom to trust
 * can be found: so that an error names the file. Only where TLS is used.
 */
int trust_check(const struct avml_remote *remote, struct avml_error *err);

/*
 * Whom to trust: the file that `remote` names, or the environment, or the
 * first there is of those that distributions have. NULL: there is none. The
 * environment is looked at: before there are threads.
 */
const char *trust_bundle(const struct avml_remote *remote);

/*
 * Options that all connections have: TLS, times, the protocols allowed, this
 * program's name. CURLE_OK or what libcurl says.
 */
CURLcode trust_set(
	CURL *curl, const struct avml_remote *remote, const char *bundle);

#endif
