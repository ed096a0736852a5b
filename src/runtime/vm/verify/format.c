/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats of bpf_snprintf(): a constant string whose arguments the call brings.
 */
#include "runtime/vm/verify/internal.h"

#include <ctype.h>
#include <string.h>

/* One conversion behind its '%'; NULL: none that is known. */
static const char *conversion(const char *s)
{
	static const char *const pointers[] = {"pB",  "pi4", "pi6", "pI4", "pI6", "pks",
					       "pus", "ps",  "pS",  "px",  "pK"};

	while (*s && strchr("0+- ", *s))
		s++;
	while (isdigit((unsigned char)*s))
		s++;
	if (*s == 'p') {
		for (size_t i = 0; i < ELEMENTS(pointers); i++)
			if (!strncmp(s, pointers[i], strlen(pointers[i])))
				return s + strlen(pointers[i]);
		return s[1] && !isspace((unsigned char)s[1]) && !ispunct((unsigned char)s[1])
			       ? NULL
			       : s + 1;
	}
	if (*s == 's' || *s == 'c')
		return s + 1;
	for (unsigned int i = 0; i < 2 && *s == 'l'; i++)
		s++;
	return *s && strchr("diuxX", *s) ? s + 1 : NULL;
}

int format_check(struct verifier *v, unsigned int format_regno, unsigned int size_regno)
{
	const struct reg *r = &cur_regs(v)[format_regno], *size = &cur_regs(v)[size_regno];
	const struct vm_map_def *m = reg_map(v, r);
	const char *s;
	uint64_t n = 0;

	if (!reg_is_const(size))
		return 0;
	reg_mark(size);
	if (size->v.bits.value % 8)
		return 0;
	for (s = (const char *)m->init + r->off + r->v.bits.value; *s;) {
		if ((unsigned char)*s >= 0x80 ||
		    (!isprint((unsigned char)*s) && !isspace((unsigned char)*s)))
			return refuse(v, D_VERIFY_ARGUMENT, "Invalid format string");
		if (*s++ != '%')
			continue;
		if (*s == '%') {
			s++;
			continue;
		}
		s = conversion(s);
		if (!s || ++n > size->v.bits.value / 8)
			return refuse(v, D_VERIFY_ARGUMENT, "Invalid format string");
	}
	return n == size->v.bits.value / 8 ? 0
					   : refuse(v, D_VERIFY_ARGUMENT, "Invalid format string");
}
