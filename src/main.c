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

int main(int argc, char **argv)
{
	const struct command *command = cmd_table[0];

	fill_standard_descriptors();
	handle_signals();
	if (argc > 0) {
		argc--;
		argv++;
	}
	for (size_t i = 0; argc > 0 && cmd_table[i]; i++) {
		if (strcmp(argv[0], cmd_table[i]->name) == 0) {
			command = cmd_table[i];
			argc--;
			argv++;
			break;
		}
	}
	return command->run(argc, argv);
}
