/* SPDX-License-Identifier: MIT */
/*
 * Command lines: a byte that chooses the command, and words that end with
 * a 0 byte. Nothing is run, only parsed.
 */
#include "fuzz.h"

#include <errno.h>

#include "cmd/cmd.h"

#define WORDS_MAX 64

struct words {
	int count;
	char *argv[WORDS_MAX + 1]; /* each in memory of its own */
};

static void take_words(struct fuzz_input in, struct words *words)
{
	while (in.left > 0 && words->count < WORDS_MAX) {
		const char *const from = (const char *)in.at;
		const size_t len = strnlen(from, in.left);
		char *word = malloc(len + 1);

		FUZZ_ASSERT(word);
		memcpy(word, from, len);
		word[len] = '\0';
		words->argv[words->count++] = word;
		in.at += len;
		in.left -= len;
		if (in.left > 0)
			fuzz_number(&in, 1);
	}
}

/* Whether the text is one of the words, or the end of one ("--name=text"). */
static bool is_given(const struct words *words, const char *text)
{
	for (int i = 0; i < words->count; i++) {
		const char *word = words->argv[i];

		if (text >= word && text <= word + strlen(word))
			return true;
	}
	return false;
}

static size_t value_size(enum option_kind kind)
{
	switch (kind) {
	case OPTION_FLAG:
		return sizeof(bool);
	case OPTION_TEXT:
	case OPTION_CHOICE:
		return sizeof(const char *);
	case OPTION_NUMBER:
	case OPTION_SIZE:
		return sizeof(uint64_t);
	case OPTION_PERCENT:
		return sizeof(double);
	}
	return 0;
}

static void check_text(
	const struct option *o, const struct words *words, const char *text)
{
	char choice[64];

	if (!text)
		return;
	FUZZ_ASSERT(is_given(words, text) == !o->secret && *text != '\0');
	if (o->kind != OPTION_CHOICE)
		return;
	FUZZ_ASSERT(strlen(text) < sizeof(choice) - 2);
	FUZZ_ASSERT(!strchr(text, '|'));
	snprintf(choice, sizeof(choice), "|%s|", o->choices);
	FUZZ_ASSERT(strstr(choice, text));
}

/* What an option that was given may be; 0 is what was there before. */
static void check_value(
	const struct option *o, const struct words *words, const void *target)
{
	const void *const at = (const char *)target + o->offset;
	double value;

	switch (o->kind) {
	case OPTION_FLAG:
		FUZZ_ASSERT(*(const uint8_t *)at <= 1);
		return;
	case OPTION_TEXT:
	case OPTION_CHOICE:
		check_text(o, words, *(const char *const *)at);
		return;
	case OPTION_SIZE:
		FUZZ_ASSERT(*(const uint64_t *)at == 0 ||
			    (double)*(const uint64_t *)at >= o->min);
		return;
	case OPTION_NUMBER:
	case OPTION_PERCENT:
		value = o->kind == OPTION_NUMBER ? (double)*(const uint64_t *)at
						 : *(const double *)at;
		FUZZ_ASSERT(value == 0 || (value >= o->min && value <= o->max));
		FUZZ_ASSERT(!o->below_max || value < o->max);
		return;
	}
}

/* The target has room for the options, and not for a byte more. */
static void *target_new(const struct command *command)
{
	size_t size = 1;
	void *target;

	for (const struct option *o = command->options; o->name; o++) {
		const size_t end = o->offset + value_size(o->kind);

		if (end > size)
			size = end;
	}
	target = calloc(1, size);
	FUZZ_ASSERT(target);
	return target;
}

static size_t count_operands(const struct command *command)
{
	size_t count = 0;

	while (command->operands[count])
		count++;
	return count;
}

static void check(const struct command *command, struct words *words)
{
	const size_t count = count_operands(command);
	const char **operands = calloc(count + 1, sizeof(*operands));
	void *target = target_new(command);
	struct avml_error err = AVML_ERROR_INIT;
	const int ret = option_parse(
		command, words->count, words->argv, target, operands, &err);

	FUZZ_ASSERT(operands);
	if (ret < 0) {
		FUZZ_ASSERT(ret == -EINVAL);
		FUZZ_ASSERT(err.code == EINVAL && err.depth == 1);
	} else {
		FUZZ_ASSERT(ret <= OPTIONS_VERSION_VERBOSE);
	}
	for (size_t i = 0; ret == OPTIONS_DONE && i < count; i++) {
		if (command->operands[i][0] == '[' && !operands[i])
			continue;
		FUZZ_ASSERT(operands[i]);
		FUZZ_ASSERT(
			is_given(words, operands[i]) ||
			(command->url_operand && strstr(operands[i], "://")));
	}
	FUZZ_ASSERT(!operands[count]);
	for (const struct option *o = command->options; ret >= 0 && o->name;
		o++)
		check_value(o, words, target);
	option_release(command, target, operands);
	free(target);
	free(operands);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = fuzz_begin(data, size);
	struct words words = { .count = 0 };
	size_t commands = 0;

	while (cmd_table[commands])
		commands++;
	commands = (size_t)fuzz_number(&in, 1) % commands;
	take_words(in, &words);
	check(cmd_table[commands], &words);
	for (int i = 0; i < words.count; i++)
		free(words.argv[i]);
	return 0;
}
