/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target over kept inputs, without libFuzzer: replay-NAME
 * FILE|DIRECTORY... A child does the work, so that the parent can say which
 * input it was, whatever the child died of.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Seconds: far more than any input needs, with sanitizers and all. */
#define LIMIT 20
#define PATH_LEN 4096

struct shared {
	unsigned long count; /* of inputs begun */
	char path[PATH_LEN]; /* of the last of them */
};

static void run_file(struct shared *shared, const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	uint8_t *bytes;

	if (!file || fstat(fileno(file), &st) < 0) {
		perror(path);
		exit(1);
	}
	/* Of just that size: to read past it is seen. */
	bytes = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
	FUZZ_ASSERT(bytes);
	FUZZ_ASSERT(fread(bytes, 1, (size_t)st.st_size, file) ==
		    (size_t)st.st_size);
	fclose(file);
	snprintf(shared->path, sizeof(shared->path), "%s", path);
	shared->count++;
	alarm(LIMIT);
	LLVMFuzzerTestOneInput(bytes, (size_t)st.st_size);
	alarm(0);
	free(bytes);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void run(struct shared *shared, const char *path)
{
	struct dirent **entries;
	const int count = scandir(path, &entries, is_visible, alphasort);

	if (count < 0 && errno == ENOTDIR) {
		run_file(shared, path);
		return;
	}
	if (count < 0) {
		perror(path);
		exit(1);
	}
	for (int i = 0; i < count; i++) {
		char file[PATH_LEN];

		snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
		run_file(shared, file);
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv)
{
	struct shared *shared = mmap(NULL, sizeof(*shared),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;
	pid_t child;

	FUZZ_ASSERT(shared != MAP_FAILED);
	child = fork();
	FUZZ_ASSERT(child >= 0);
	if (child == 0) {
		for (int i = 1; i < argc; i++)
			run(shared, argv[i]);
		return 0;
	}
	FUZZ_ASSERT(waitpid(child, &status, 0) == child);
	if (status != 0) {
		printf("%s: %s\n", shared->path,
			WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM
				? "it takes too long"
				: "it fails, or one before it leaks");
		return 1;
	}
	printf("%lu inputs\n", shared->count);
	return shared->count > 0 ? 0 : 1;
}
