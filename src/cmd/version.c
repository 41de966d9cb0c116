/* SPDX-License-Identifier: MIT */
/* What this program is, and what is inside: told by --version. */
#include <stdio.h>

#include <cjson/cJSON.h>

#ifdef AVML_KIT
/* KIT_LIBRARIES, a line for each package that a static build is made of */
#include <avml_kit.h>
#else
#include <curl/curl.h>
#include <expat.h>
#include <openssl/crypto.h>
#endif
#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

#include "cmd/cmd.h"

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

#ifdef AVML_KIT
static void print_libraries(void)
{
	printf("libraries inside:\n%s", KIT_LIBRARIES);
}
#else
/* These are the system's, of whatever version it has now. */
static void print_libraries(void)
{
	const XML_Expat_Version expat = XML_ExpatVersionInfo();

	printf("libraries of this system:\n");
#ifdef __GLIBC__
	printf("  glibc %s\n", gnu_get_libc_version());
#endif
	/* snappy does not tell; OpenSSL has its name and a date in it. */
	printf("  cJSON %s\n  snappy\n  %s\n", cJSON_Version(),
		OpenSSL_version(OPENSSL_VERSION));
	printf("  libcurl %s\n  expat %d.%d.%d\n",
		curl_version_info(CURLVERSION_NOW)->version, expat.major,
		expat.minor, expat.micro);
}
#endif

const char *cmd_commit(void)
{
	return AVML_COMMIT;
}

const char *cmd_build(void)
{
#ifdef AVML_KIT
	return AVML_KIT;
#else
	return "dynamic";
#endif
}

const char *cmd_compiler(void)
{
	return COMPILER;
}

void cmd_print_version(bool verbose)
{
	const char *commit = cmd_commit();

	printf("avml %s%s%s%s\n", AVML_VERSION, *commit ? " (commit " : "",
		commit, *commit ? ")" : "");
	if (verbose) {
		printf("compiler: %s\nbuild: %s\n", cmd_compiler(),
			cmd_build());
		print_libraries();
	}
}
