/* SPDX-License-Identifier: MIT */
#include "cmd/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

/* No URL is longer. */
#define SECRET_MAX 65536

bool secret_is_url(const char *text)
{
	return strstr(text, "://") != NULL;
}

const char *secret_shown(const char *text, char shown[SECRET_SHOWN])
{
	const char *host = strstr(text, "://"), *user;
	size_t len = 0, host_len;

	if (!host)
		return text;
	shown[0] = '\0';
	/* No scheme: the rest of something that is not known. */
	if (strcspn(text, "?#@") < (size_t)(host - text))
		return shown;
	host += 3;
	host_len = strcspn(host, "/?#");
	user = memrchr(host, '@', host_len);
	for (; text < host && len + 1 < SECRET_SHOWN; text++)
		shown[len++] = *text;
	for (text = user ? user + 1 : host;
		*text && *text != '?' && *text != '#' && len + 1 < SECRET_SHOWN;
		text++)
		shown[len++] = *text;
	shown[len] = '\0';
	return shown;
}

void secret_keep_in(void)
{
	static const struct rlimit none = { 0, 0 };

	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
}

/* Overwrite all but what may be shown. */
static void wipe(char *text)
{
	char shown[SECRET_SHOWN];
	const size_t len = strlen(text);
	const char *rest = secret_shown(text, shown);
	const size_t kept = rest == text ? 0 : strlen(rest);

	memcpy(text, shown, kept);
	memset(text + kept, 'x', len - kept);
}

const char *secret_take(const char *argument)
{
	/* Of argv or of the environment, which are the process's own. */
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): to drop const alone */
	char *const own = (char *)(uintptr_t)argument;
	char *copy = strdup(argument);

	secret_keep_in();
	if (copy)
		wipe(own);
	return copy;
}

const char *secret_take_variable(const char *name)
{
	/* NOLINTBEGIN(concurrency-mt-unsafe): the threads come later */
	const char *value = getenv(name);
	const char *copy = value && *value ? secret_take(value) : NULL;

	if (value)
		unsetenv(name);
	/* NOLINTEND(concurrency-mt-unsafe) */
	return copy;
}

void secret_wipe(const char *argument)
{
	const char *copy = secret_take(argument);

	secret_release(&copy);
}

/* As many bytes as there are, up to a line's end: a pipe gives them in parts.
 */
static ssize_t read_line(int fd, char *to, size_t size)
{
	size_t len = 0;

	while (len < size && !memchr(to, '\n', len)) {
		const ssize_t got = read(fd, to + len, size - len);

		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	return (ssize_t)len;
}

int secret_read(const char *path, const char **secret, struct avml_error *err)
{
	const bool is_stdin = strcmp(path, "-") == 0;
	CLEANUP_CLOSE int fd = -1;
	const char *name = is_stdin ? "stdin" : path;
	CLEANUP_FREE char *text = NULL;
	bool is_too_long;
	ssize_t len;
	char *from;

	fd = is_stdin ? dup(STDIN_FILENO)
		      : io_open(path, O_RDONLY | O_NOCTTY, 0);
	if (fd < 0)
		return avml_error_set_errno(err, is_stdin ? errno : -fd,
			"cannot read the URL from %s", name);
	text = malloc(SECRET_MAX + 1);
	if (!text)
		return avml_error_set_errno(err, ENOMEM, "a URL");
	secret_keep_in();
	len = read_line(fd, text, SECRET_MAX);
	if (len < 0)
		return avml_error_set_errno(
			err, (int)-len, "cannot read the URL from %s", name);
	text[len] = '\0';
	is_too_long = len == SECRET_MAX && !memchr(text, '\n', SECRET_MAX);
	from = text + strspn(text, " \t\r");
	from[strcspn(from, "\r\n")] = '\0';
	for (size_t end = strlen(from);
		end > 0 && (from[end - 1] == ' ' || from[end - 1] == '\t');)
		from[--end] = '\0';
	if (from[0] == '\0' || is_too_long)
		return avml_error_set(err, ENODATA,
			from[0] == '\0' ? "the first line of %s has no URL"
					: "the first line of %s is too long "
					  "for a URL",
			name);
	*secret = strdup(from);
	/* A memset() before free() is no more than a wish. */
	explicit_bzero(text, (size_t)len);
	return *secret ? 0 : avml_error_set_errno(err, ENOMEM, "a URL");
}

void secret_release(const char **secret)
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): to drop const alone */
	char *const own = (char *)(uintptr_t)*secret;

	if (own)
		explicit_bzero(own, strlen(own));
	free(own);
	*secret = NULL;
}
