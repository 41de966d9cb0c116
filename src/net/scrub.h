/* SPDX-License-Identifier: MIT */
/*
 * Secrets out of what others say, in place. What a secret is depends on what it
 * belongs to: see url_scrub() and attempt_scrub().
 */
#ifndef NET_SCRUB_H
#define NET_SCRUB_H

/*
 * Characters of ASCII that are written as JSON and HTML do, as "\/", "\u002b"
 * or "&#43;", are what they stand for afterwards: a secret may have such.
 */
void scrub_unescape(char *text);

/*
 * Every occurrence of the secret goes, as it is, percent-decoded and encoded,
 * and of one that the text's end cuts in two, the begin. Shorter ones than 6
 * bytes stay, since they are part of any word.
 */
void scrub_secret(const char *secret, char *text);

#endif
