/* SPDX-License-Identifier: MIT */
/*
 * put FILE URL CACERT: sends a file with the libraries of the static build,
 * as chroots.sh wants it. Status 0 if the server said 2xx.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <curl/curl.h>
#include <openssl/crypto.h>

int main(int argc, char **argv)
{
	struct stat st;
	FILE *file;
	CURL *curl;
	CURLcode code;
	long status = 0;

	if (argc != 4)
		return 2;
	/* Of the host's configuration nothing is wanted. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return 1;
	curl = curl_easy_init();
	file = fopen(argv[1], "rb");
	if (!curl || !file || fstat(fileno(file), &st) != 0)
		return 1;
	curl_easy_setopt(curl, CURLOPT_URL, argv[2]);
	curl_easy_setopt(curl, CURLOPT_CAINFO, argv[3]);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_READDATA, file);
	curl_easy_setopt(
		curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)st.st_size);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK || status < 200 || status > 299) {
		fprintf(stderr, "error: %s, status %ld\n",
			curl_easy_strerror(code), status);
		return 1;
	}
	fclose(file);
	curl_easy_cleanup(curl);
	curl_global_cleanup();
	return 0;
}
