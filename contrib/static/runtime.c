/* SPDX-License-Identifier: MIT */
/*
 * What libsnappy, built without exceptions, wants of a C++ runtime. With this
 * in its archive the static builds need no libstdc++. Operators new and delete
 * are the program's, src/cmd/new.c.
 */
#include <stdlib.h>

/* std::__throw_length_error(char const *): a string that got too long. */
_Noreturn void _ZSt20__throw_length_errorPKc(const char *what);

void _ZSt20__throw_length_errorPKc(const char *what)
{
	(void)what;
	abort();
}
