/* SPDX-License-Identifier: MIT */
/* cached FILE: how many bytes of it are in the page cache, by mincore(2). */
#include <sys/mman.h>
#include <sys/stat.h>

#include "pages.h"

int main(int argc, char **argv)
{
	struct stat st;
	unsigned char *marks;
	size_t pages, count = 0;
	void *at;
	int fd;

	if (argc != 2)
		return 2;
	fd = open(argv[1], O_RDONLY);
	if (fd < 0 || fstat(fd, &st) < 0)
		die(argv[1]);
	pages = ((size_t)st.st_size + PAGE - 1) / PAGE;
	marks = malloc(pages + 1);
	at = mmap(NULL, pages * PAGE + 1, PROT_READ, MAP_SHARED, fd, 0);
	if (!marks || at == MAP_FAILED || mincore(at, pages * PAGE, marks) < 0)
		die(argv[1]);
	for (size_t i = 0; i < pages; i++)
		count += marks[i] & 1;
	printf("%zu\n", count * PAGE);
	return 0;
}
