/* SPDX-License-Identifier: MIT */
#include <avml/remote.h>

bool avml_remote_is_built(void)
{
	return true;
}
