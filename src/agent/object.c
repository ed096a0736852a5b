/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question out of an object file that --emit wrote.
 *
 * The file is foreign: its ELF is read by isa/elf.h, the question by question_load(), both
 * of which check what they read.  Then it is fitted to the kernel that runs.
 */
#include "agent/emit.h"
#include "base/log.h"
#include "catalog/question-save.h"
#include "isa/elf.h"

#include <errno.h>

struct str emit_find(struct str file)
{
	struct elf_section section;
	struct elf_view elf;

	if (elf_view_init(&elf, file.p, file.n) < 0 || !elf_section_find(&elf, ".skep", &section))
		return (struct str){0};
	return section.bytes;
}

int emit_open(struct question *q, struct str bytes, const char *path, struct world *w)
{
	_cleanup_buf_ struct buf wrong = {0};
	const char *why;
	int r = question_load(q, bytes, &why);

	if (r < 0) {
		if (r == -EBADMSG)
			log_error(0, "%s is damaged: %s", path, why);
		else
			log_error(0, "cannot run %s: %s", path, why);
		return r == -EBADMSG ? EXIT_FAILED : EXIT_CANNOT_HERE;
	}
	if (!w || portable_fit(q, w, &wrong))
		return 0;
	log_error(0, "%s was compiled for another machine: %s", path, wrong.p);
	log_hint("compile the script on a machine like this one");
	return EXIT_CANNOT_HERE;
}
