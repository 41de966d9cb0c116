# SPDX-License-Identifier: MIT
"""Kernel text, which the kernel itself writes to.

A static key turns a jump into a no-operation or back while the kernel runs
(arch/x86/include/asm/jump_label.h, arch/arm64/kernel/jump_label.c): that one
begins to listen to packets is enough. So text that was read at two times may
differ, but in nothing else.
"""

# x86: by the length of the jump.
NOPS = {b"\x0f\x1f\x44\x00\x00": 0xe9, b"\x66\x90": 0xeb}
ARM64_NOP = 0xd503201f
# More than that are not switched in the time of a test.
JUMPS_MAX = 8


def jump_of_x86(one, other, at):
    for nop, jump in NOPS.items():
        end = at + len(nop)
        if one[at:end] == nop and other[at] == jump and end <= len(other):
            return end
    return None


def jump_of_arm64(one, other, at):
    at &= ~3
    words = [int.from_bytes(page[at:at + 4], "little")
             for page in (one, other)]
    if words[0] == ARM64_NOP and words[1] >> 26 == 0b000101:
        return at + 4
    return None


def is_same_text(one, other):
    """Whether two views of a page differ in switched jumps at most."""
    if one is None or other is None or len(one) != len(other):
        return False
    at = jumps = 0
    while one[at:] != other[at:]:
        at = next(i for i in range(at, len(one)) if one[i] != other[i])
        ends = (find(*pages, at) for find in (jump_of_x86, jump_of_arm64)
                for pages in ((one, other), (other, one)))
        at = next((end for end in ends if end), None)
        jumps += 1
        if at is None or jumps > JUMPS_MAX:
            return False
    return True
