/* SPDX-License-Identifier: MIT */
/* In the place of what is remote, in a build without network code. */
#include <avml/remote.h>

bool avml_remote_is_built(void)
{
	return false;
}
