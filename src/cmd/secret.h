/* SPDX-License-Identifier: MIT */
/*
 * Secrets of the command line: a URL's query (a SAS, a presigned signature),
 * its user and its password. They are read from where `ps` does not show them,
 * or taken away from where it does, and never get into a message.
 */
#ifndef CMD_SECRET_H
#define CMD_SECRET_H

#include <stdbool.h>

#include <avml/error.h>

/* Long enough for an argument that is shown. */
#define SECRET_SHOWN 512

/* Whether a text is meant to be a URL. */
bool secret_is_url(const char *text);

/* What of it may be shown: of a URL, what is before its query, and no user. */
const char *secret_shown(const char *text, char shown[SECRET_SHOWN]);

/* From here on no core is dumped, and others of this user cannot look in. */
void secret_keep_in(void);

/*
 * A copy of an argument; in the argument itself only what may be shown is
 * left, so that /proc/PID/cmdline has no more of it. From here on no core is
 * dumped. NULL when memory is out; secret_release() takes it.
 */
const char *secret_take(const char *argument);

/* The same of a variable of the environment; NULL too when it is not set. */
const char *secret_take_variable(const char *name);

/* The same of an argument that nobody wants. */
void secret_wipe(const char *argument);

/* Wipe and free what one of these gave, and set it to NULL, which is fine. */
void secret_release(const char **secret);

/*
 * The first line of a file ("-": of stdin). 0 or -errno.
 */
int secret_read(const char *path, const char **secret, struct avml_error *err);

#endif
