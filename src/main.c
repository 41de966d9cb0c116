/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "cmd/cmd.h"

static void on_stop_signal(int number)
{
	const int saved = errno;

	cancel_request(number);
	/* A call that was about to block when we came is woken by this. */
	alarm(1);
	errno = saved;
}

static void on_alarm(int number)
{
	(void)number;
	alarm(1);
}

/* No SA_RESTART: a call that blocks has to come back and look. */
static void handle(int number, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

static void handle_signals(void)
{
	static const int stops[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
		struct sigaction inherited;

		/* nohup and background shells ignore some on purpose. */
		if (sigaction(stops[i], NULL, &inherited) == 0 &&
			inherited.sa_handler == SIG_IGN)
			continue;
		handle(stops[i], on_stop_signal);
	}
	handle(SIGALRM, on_alarm);
	/* These become errors of the write that they belong to. */
	handle(SIGPIPE, SIG_IGN);
	handle(SIGXFSZ, SIG_IGN);
}

/*
 * A file opened while descriptor 1 or 2 is closed would get its number,
 * and messages would go into the image. What is put there instead cannot
 * be written, so that an image for a closed stdout is an error.
 */
static void fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* The command that a name stands for, NULL if it is none. */
static const struct command *find_command(const char *name)
{
	for (size_t i = 0; cmd_table[i]; i++) {
		if (strcmp(name, cmd_table[i]->name) == 0)
			return cmd_table[i];
	}
	return NULL;
}

/* One binary: a link called avml-convert is that command. */
static const struct command *command_of_program(const char *path)
{
	static const char prefix[] = "avml-";
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (strncmp(name, prefix, sizeof(prefix) - 1) != 0)
		return NULL;
	return find_command(name + sizeof(prefix) - 1);
}

int main(int argc, char **argv)
{
	const struct command *command = NULL;

	fill_standard_descriptors();
	handle_signals();
	if (argc > 0) {
		command = command_of_program(argv[0]);
		argc--;
		argv++;
	}
	if (!command && argc > 0) {
		command = find_command(argv[0]);
		if (command) {
			argc--;
			argv++;
		}
	}
	if (!command)
		command = cmd_table[0];
	return command->run(argc, argv);
}
