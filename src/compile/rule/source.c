/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the text of a field stands, in records of one kind.
 *
 * Names of files are there twice: as given, made absolute (annex), and as the kernel resolved
 * them.  A rule is evaluated for either, so both are walked.
 */
#include "compile/rule/lower.h"

#include "catalog/catalog.h"

#define STR_AT(body, m) ((struct text_str){.at = offsetof(struct body, m)})
#define GIVEN(m)	((struct text_str){.at = ANNEX(m)})

static void set_name(struct text_source *s)
{
	s->given = GIVEN(name);
	s->resolved = STR_AT(wire_file, file);
	s->raw = STR_AT(wire_file, path);
}

static void set_name2(struct text_source *s)
{
	s->given = GIVEN(name2);
	s->resolved = STR_AT(wire_file, file2);
	s->raw = STR_AT(wire_file, path2);
}

static void arg_find(const struct rule_field_ref *f, unsigned int kind, struct text_source *s)
{
	const struct rule_arg_info *row = rule_arg_find(f->arg, kind);

	s->why = "no text of the record";
	if (!row)
		return;
	s->is_partial = row->only;
	if (row->from == RAF_NAME)
		set_name(s);
	else if (row->from == RAF_NAME2)
		set_name2(s);
	else if (row->from == RAF_STR)
		s->given.at = row->offset;
	else
		return;
	s->why = NULL;
}

/* What is no file event has at most the file behind a descriptor, or a connection. */
static void other_find(const struct rule_field_ref *f, unsigned int kind, struct text_source *s)
{
	if (f->id == RF_fd_name && body_of_kind(kind) == BODY_wire_sock) {
		s->why = "addresses as a text";
	} else if (f->id == RF_fd_name && body_of_kind(kind) == BODY_wire_sys) {
		s->why = NULL;
		s->given = STR_AT(wire_sys, file);
	} else {
		s->is_missing = true;
	}
}

static void set_raw(struct text_source *s, bool second)
{
	s->given = second ? STR_AT(wire_file, path2) : STR_AT(wire_file, path);
}

/*
 * fs.path.*: of calls that succeeded; those with two paths have a source and a target.  A
 * link's source is its new name, a mount's what is mounted.
 */
static void fs_find(const struct rule_field_ref *f, unsigned int kind, struct text_source *s)
{
	bool has_two =
		kind == EV_RENAME || kind == EV_LINK || kind == EV_SYMLINK || kind == EV_MOUNT;
	bool is_one = f->id == RF_fs_path_name || f->id == RF_fs_path_nameraw;
	bool is_source = f->id == RF_fs_path_source || f->id == RF_fs_path_sourceraw;
	bool second = is_source == (kind == EV_LINK || kind == EV_MOUNT);
	bool raw = f->id == RF_fs_path_nameraw || f->id == RF_fs_path_sourceraw ||
		   f->id == RF_fs_path_targetraw ||
		   (is_source ? kind == EV_MOUNT : kind == EV_SYMLINK && !is_one);

	s->why = NULL;
	s->is_partial = true;
	s->is_missing = is_one == has_two;
	if (raw)
		set_raw(s, second && !is_one);
	else if (second && !is_one)
		set_name2(s);
	else
		set_name(s);
	if (is_one && raw)
		s->instead = STR_AT(wire_file, file);
}

static bool is_fs(enum rule_field f)
{
	return f == RF_fs_path_name || f == RF_fs_path_nameraw || f == RF_fs_path_source ||
	       f == RF_fs_path_sourceraw || f == RF_fs_path_target || f == RF_fs_path_targetraw;
}

void source_find(const struct rule_field_ref *f, unsigned int kind, struct text_source *ret)
{
	*ret = (struct text_source){.why = "no text of the record"};
	if (f->id == RF_evt_arg || f->id == RF_evt_rawarg) {
		arg_find(f, kind, ret);
	} else if (body_of_kind(kind) != BODY_wire_file) {
		other_find(f, kind, ret);
	} else if (is_fs(f->id)) {
		fs_find(f, kind, ret);
	} else if (f->id == RF_fd_nameraw) {
		ret->why = NULL;
		set_raw(ret, false);
		ret->instead = STR_AT(wire_file, file);
	} else if (f->id == RF_fd_path_real) {
		ret->why = NULL;
		ret->given = STR_AT(wire_file, file);
		ret->needs_bytes = true;
	} else if (f->id == RF_fd_name || f->id == RF_evt_abspath || f->id == RF_fd_directory ||
		   f->id == RF_fd_filename) {
		ret->why = NULL;
		ret->part = f->id == RF_fd_directory  ? SOURCE_FOLDER
			    : f->id == RF_fd_filename ? SOURCE_LAST
						      : SOURCE_WHOLE;
		set_name(ret);
	}
}
