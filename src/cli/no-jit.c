/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCRE2 without its compiler to machine code.
 *
 * Rules' regular expressions are interpreted: few of them reach user space, and nothing shall
 * make executable memory in a process with privileges.  But PCRE2's archive has its JIT, 240 kB,
 * in one member, which compiling and matching refer to for the case that a pattern was
 * JIT-compiled.  Only pcre2_jit_compile() does that, and nobody calls it.  So what is referred to
 * is defined here, as in a PCRE2 that was configured without JIT, and the linker leaves the member
 * where it is.
 *
 * These names are PCRE2's own affair and may change with it (pcre2_internal.h).  meson.build tries
 * whether they are the right ones: if not, the member would come along and define them again.
 * Then this file is left out, and the program is larger but the same.  So it is where PCRE2 is a
 * shared library.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

int _pcre2_jit_check_exec_8(void *executable_jit, uint32_t options);
void _pcre2_jit_free_8(void *executable_jit, void *memctl);
size_t _pcre2_jit_get_size_8(void *executable_jit);
const char *_pcre2_jit_get_target_8(void);

/* Was the pattern compiled for these options? */
int _pcre2_jit_check_exec_8(void *executable_jit, uint32_t options)
{
	return 0;
}

void _pcre2_jit_free_8(void *executable_jit, void *memctl)
{
}

size_t _pcre2_jit_get_size_8(void *executable_jit)
{
	return 0;
}

const char *_pcre2_jit_get_target_8(void)
{
	return "JIT is not supported";
}

int pcre2_jit_match(const pcre2_code *code, PCRE2_SPTR subject, PCRE2_SIZE n, PCRE2_SIZE from,
		    uint32_t options, pcre2_match_data *found, pcre2_match_context *limits)
{
	return PCRE2_ERROR_JIT_BADOPTION;
}
