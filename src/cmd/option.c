/* SPDX-License-Identifier: MIT */
#include "cmd/option.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/secret.h"

static bool name_matches(const char *name, const char *given, size_t len)
{
	if (strlen(name) != len)
		return false;
	for (size_t i = 0; i < len; i++) {
		/* AVML 0.1 to 0.3 wrote its options with underscores. */
		if (name[i] != (given[i] == '_' ? '-' : given[i]))
			return false;
	}
	return true;
}

static bool is_named(const struct option *o, const char *given, size_t len)
{
	return name_matches(o->name, given, len) ||
	       (o->also && name_matches(o->also, given, len));
}

static int bad_value(
	const struct option *o, const char *given, struct avml_error *err)
{
	char shown[SECRET_SHOWN];
	const char *value = secret_shown(given, shown);

	if (o->kind == OPTION_SIZE)
		return avml_error_set(err, EINVAL,
			"--%s: \"%s\" is not a number of bytes from %.0f on, "
			"such as 500K or 20M",
			o->name, value, o->min);
	if (o->kind == OPTION_NUMBER)
		return avml_error_set(err, EINVAL,
			"--%s: \"%s\" is not a number from %.0f to %.0f",
			o->name, value, o->min, o->max);
	return avml_error_set(err, EINVAL,
		"--%s: \"%s\" is not a number from %g to %s%g", o->name, value,
		o->min, o->below_max ? "below " : "", o->max);
}

/* False when there is none, or it is too large. */
static bool scan_number(const char **at, uint64_t *to)
{
	const char *p = *at;

	*to = 0;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(*to, 10, to) ||
			__builtin_add_overflow(*to, (uint64_t)(*p - '0'), to))
			return false;
	}
	if (p == *at)
		return false;
	*at = p;
	return true;
}

static int parse_number(const struct option *o, const char *value, uint64_t *to,
	struct avml_error *err)
{
	const char *p = value;

	if (!scan_number(&p, to) || *p != '\0' || (double)*to < o->min ||
		(double)*to > o->max)
		return bad_value(o, value, err);
	return 0;
}

static int parse_size(const struct option *o, const char *value, uint64_t *to,
	struct avml_error *err)
{
	static const char units[] = "KMG";
	const char *p = value, *unit;
	uint64_t factor = 1;

	if (!scan_number(&p, to))
		return bad_value(o, value, err);
	unit = *p ? strchr(units, *p) : NULL;
	if (unit) {
		factor = (uint64_t)1 << 10 * (unit - units + 1);
		p++;
	}
	if (*p != '\0' || __builtin_mul_overflow(*to, factor, to) ||
		(double)*to < o->min)
		return bad_value(o, value, err);
	return 0;
}

static int parse_percent(const struct option *o, const char *value, double *to,
	struct avml_error *err)
{
	const size_t whole = strspn(value, "0123456789");
	const char *rest = value + whole;

	if (*rest == '.' && rest[1] != '\0')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (whole == 0 || *rest != '\0')
		return bad_value(o, value, err);
	*to = strtod(value, NULL);
	if (*to < o->min || *to > o->max || (o->below_max && *to >= o->max))
		return bad_value(o, value, err);
	return 0;
}

/* One of "a|b|c". */
static int parse_choice(const struct option *o, const char *value,
	const char **to, struct avml_error *err)
{
	const size_t len = strlen(value);
	char shown[SECRET_SHOWN];

	for (const char *word = o->choices; word; word = strchr(word, '|')) {
		word += *word == '|';
		if (strcspn(word, "|") == len &&
			memcmp(word, value, len) == 0) {
			*to = value;
			return 0;
		}
	}
	return avml_error_set(err, EINVAL, "--%s: \"%s\" is none of %s",
		o->name, secret_shown(value, shown), o->choices);
}

/* The argument's name says so, in the usage text too. */
static bool takes_url(const struct option *o)
{
	return strcmp(o->arg, "URL") == 0 || secret_is_url(o->arg);
}

static int store_text(const struct option *o, const char *value,
	const char **to, struct avml_error *err)
{
	char shown[SECRET_SHOWN];

	*to = o->secret ? secret_take(value) : value;
	if (!*to)
		return avml_error_set_errno(err, ENOMEM, "--%s", o->name);
	if (o->secret || takes_url(o) || !secret_is_url(value))
		return 0;
	/* Who cannot open a file names it in full. */
	avml_error_set(err, EINVAL, "--%s: \"%s\" is a URL, not %s", o->name,
		secret_shown(value, shown), o->arg);
	secret_wipe(value);
	return -EINVAL;
}

static int store(const struct option *o, const char *value, void *target,
	struct avml_error *err)
{
	void *const at = (char *)target + o->offset;

	switch (o->kind) {
	case OPTION_FLAG:
		*(bool *)at = true;
		return 0;
	case OPTION_TEXT:
		return store_text(o, value, at, err);
	case OPTION_NUMBER:
		return parse_number(o, value, at, err);
	case OPTION_PERCENT:
		return parse_percent(o, value, at, err);
	case OPTION_CHOICE:
		return parse_choice(o, value, at, err);
	case OPTION_SIZE:
		return parse_size(o, value, at, err);
	}
	return -EINVAL;
}

struct parser {
	const struct command *command;
	void *target;
	int argc;
	char **argv;
	int at;
	bool seen[OPTION_MAX];
	size_t operand_count;
	const char **operands;
	bool verbose; /* seen: it goes with --version alone */
};

/* "--name", "--name value" or "--name=value". */
static int parse_option(struct parser *p, struct avml_error *err)
{
	const char *given = p->argv[p->at] + 2;
	const char *equals = strchr(given, '=');
	const size_t len = equals ? (size_t)(equals - given) : strlen(given);
	const char *value = equals ? equals + 1 : NULL;
	const struct option *o = p->command->options;

	while (o->name && !is_named(o, given, len))
		o++;
	/* Of a URL that dashes stand before, no more than its scheme. */
	if (!o->name)
		return avml_error_set(err, EINVAL, "unknown option --%.*s",
			(int)strcspn(given, "=:/?#@"), given);
	assert(o - p->command->options < OPTION_MAX);
	if (p->seen[o - p->command->options])
		return avml_error_set(
			err, EINVAL, "--%s is given twice", o->name);
	p->seen[o - p->command->options] = true;
	if (o->kind == OPTION_FLAG && value)
		return avml_error_set(
			err, EINVAL, "--%s takes no value", o->name);
	if (o->kind != OPTION_FLAG && !value) {
		if (p->at + 1 >= p->argc)
			return avml_error_set(err, EINVAL,
				"--%s wants %s after it", o->name, o->arg);
		value = p->argv[++p->at];
	}
	if (o->kind != OPTION_FLAG && *value == '\0')
		return avml_error_set(err, EINVAL, "--%s wants %s, not nothing",
			o->name, o->arg);
	return store(o, value, p->target, err);
}

static bool may_be_left_out(const char *operand)
{
	return operand[0] == '[';
}

static int take_operand(
	struct parser *p, const char *arg, struct avml_error *err)
{
	const char *name = p->command->operands[p->operand_count];
	char shown[SECRET_SHOWN];

	if (!name)
		return avml_error_set(err, EINVAL,
			"one operand too many: \"%s\"",
			secret_shown(arg, shown));
	if (may_be_left_out(name))
		name++;
	if (*arg == '\0')
		return avml_error_set(err, EINVAL, "%.*s is empty",
			(int)strcspn(name, "]"), name);
	if (secret_is_url(arg) && !p->command->url_operand) {
		avml_error_set(err, EINVAL, "\"%s\" is a URL, not %s",
			secret_shown(arg, shown), name);
		secret_wipe(arg);
		return -EINVAL;
	}
	if (secret_is_url(arg))
		arg = secret_take(arg);
	if (!arg)
		return avml_error_set_errno(err, ENOMEM, "a URL");
	p->operands[p->operand_count++] = arg;
	return 0;
}

/* Behind --version stands nothing but --verbose, if anything counts. */
static int version_outcome(const struct parser *p)
{
	bool verbose = p->verbose;

	for (int i = p->at + 1; i < p->argc && strcmp(p->argv[i], "--") != 0;
		i++)
		verbose = verbose || strcmp(p->argv[i], "--verbose") == 0;
	return verbose ? OPTIONS_VERSION_VERBOSE : OPTIONS_VERSION;
}

int option_parse(const struct command *command, int argc, char **argv,
	void *target, const char **operands, struct avml_error *err)
{
	struct parser p = { .command = command,
		.target = target,
		.argc = argc,
		.argv = argv,
		.operands = operands };
	char shown[SECRET_SHOWN];
	bool options_end = false;
	int ret = 0;

	for (p.at = 0; p.at < argc && ret == 0; p.at++) {
		const char *arg = argv[p.at];

		if (options_end || arg[0] != '-' || arg[1] == '\0')
			ret = take_operand(&p, arg, err);
		else if (strcmp(arg, "--") == 0)
			options_end = true;
		else if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)
			return OPTIONS_HELP;
		else if (strcmp(arg, "--version") == 0 ||
			 strcmp(arg, "-V") == 0)
			return version_outcome(&p);
		else if (strcmp(arg, "--verbose") == 0)
			p.verbose = true;
		else if (arg[1] != '-')
			ret = avml_error_set(err, EINVAL, "unknown option %s",
				secret_shown(arg, shown));
		else
			ret = parse_option(&p, err);
	}
	if (ret == 0 && p.verbose)
		ret = avml_error_set(
			err, EINVAL, "--verbose goes with --version alone");
	if (ret == 0 && command->operands[p.operand_count] &&
		!may_be_left_out(command->operands[p.operand_count]))
		ret = avml_error_set(err, EINVAL, "%s is missing",
			command->operands[p.operand_count]);
	return ret;
}

void option_release(
	const struct command *command, void *target, const char **operands)
{
	for (const struct option *o = command->options; o->name; o++) {
		void *const at = (char *)target + o->offset;

		if (o->secret)
			secret_release(at);
	}
	for (size_t i = 0; command->url_operand && command->operands[i]; i++) {
		if (operands[i] && secret_is_url(operands[i]))
			secret_release(&operands[i]);
	}
}

static void usage_line(
	FILE *out, const char *name, const char *arg, const char *help)
{
	const int width = fprintf(
		out, "  --%s%s%s", name, arg ? " " : "", arg ? arg : "");

	fprintf(out, "%*s%s\n", width < 34 ? 34 - width : 1, "", help);
}

const struct option option_common[] = {
	OPTION_FLAG_AT("help", 0, "this text"),
	OPTION_FLAG_AT("version", 0, "version and commit"),
	OPTION_FLAG_AT(
		"verbose", 0, "with --version: the libraries inside as well"),
	{ .name = NULL },
};

void option_usage(FILE *out, const struct command *command)
{
	for (const struct option *o = command->options; o->name; o++)
		usage_line(out, o->name, o->arg, o->help);
	for (const struct option *o = option_common; o->name; o++)
		usage_line(out, o->name, o->arg, o->help);
}
