/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/catalog.h"

#include "base/macro.h"
#include "catalog/syscall-numbers.h"
#include "catalog/syscall-table.h"

#include <errno.h>

static const struct event_desc events[EV_END] = {
#define EVENT(id, name_, group_, body_, view_, line_, help_) \
	[EV_##id] = {#name_, line_, help_, GROUP_##group_, VIEW_##view_, BODY_##body_},
#include "catalog/events.def"
#undef EVENT
};

#define ALL    (~0ull)
#define B(id)  KIND_BIT(EV_##id)
#define RECORD head.kind /* any member: the type looks at the whole record */
static const struct field_desc fields[] = {
#define FIELD(body_, name_, type_, member_, events_, help_) \
	{.name = #name_,                                    \
	 .help = help_,                                     \
	 .type = T_##type_,                                 \
	 .body = BODY_##body_,                              \
	 .offset = OFFSET_##body_(member_),                 \
	 .events = events_},
/* a bare head has no member `head` */
#define OFFSET_wire_head(m) \
	offsetof(           \
		struct { struct wire_head head; }, head.m)
#define OFFSET_wire_proc(m)  offsetof(struct wire_proc, m)
#define OFFSET_wire_fork(m)  offsetof(struct wire_fork, m)
#define OFFSET_wire_exit(m)  offsetof(struct wire_exit, m)
#define OFFSET_wire_file(m)  offsetof(struct wire_file, m)
#define OFFSET_wire_conn(m)  offsetof(struct wire_conn, m)
#define OFFSET_wire_creds(m) offsetof(struct wire_creds, m)
#define OFFSET_wire_sys(m)   offsetof(struct wire_sys, m)
#define OFFSET_wire_sock(m)  offsetof(struct wire_sock, m)
#include "catalog/fields.def"
#undef FIELD
};

static const struct type_desc types[T_END] = {
#define TYPE(id, json, help) [T_##id] = {#id, #json, help},
#include "catalog/types.def"
#undef TYPE
};

static const struct syscall_desc syscalls[] = {
#define SYSCALL(name, ia32, event, handler, bits, dir, path, dir2, path2, flags, mode, text) \
	{#name,                                                                              \
	 SYS_##name,                                                                         \
	 ia32,                                                                               \
	 {SYS_##handler, EV_##event, bits, dir, path, dir2, path2, flags, mode, text, {0}}},
#include "catalog/syscalls.def"
#undef SYSCALL
};

static const struct {
	enum body body;
	size_t offset;
} strings[] = {
#define STRING(body, member) {BODY_##body, offsetof(struct body, member)},
#include "catalog/strings.def"
#undef STRING
};

static const size_t sizes[BODY_END] = {
#define BODY(id, call) sizeof(struct id),
#include "catalog/bodies.def"
#undef BODY
};

const uint16_t body_calls[BODY_END + 1] = {
#define BODY(id, call) call,
#include "catalog/bodies.def"
#undef BODY
};

static const char *const groups[] = {
	[GROUP_PROCESS] = "process",   [GROUP_FILE] = "file", [GROUP_NETWORK] = "network",
	[GROUP_SECURITY] = "security", [GROUP_META] = "meta",
};

const struct event_desc *event_get(unsigned int kind)
{
	return kind > 0 && kind < EV_END ? &events[kind] : NULL;
}

unsigned int event_find(struct str name)
{
	for (unsigned int k = 1; k < EV_END; k++)
		if (str_eq(str_of(events[k].name), name))
			return k;
	return 0;
}

const char *event_group_name(enum event_group group)
{
	return groups[group];
}

static bool belongs(const struct field_desc *f, unsigned int kind)
{
	return f->body == events[kind].body && (f->events & KIND_BIT(kind));
}

const struct field_desc *field_of_event(unsigned int kind, size_t i)
{
	for (size_t j = 0; j < ELEMENTS(fields); j++)
		if (belongs(&fields[j], kind) && i-- == 0)
			return &fields[j];
	return NULL;
}

const struct field_desc *field_find(unsigned int kind, struct str name)
{
	for (size_t j = 0; j < ELEMENTS(fields); j++)
		if (belongs(&fields[j], kind) && str_eq(str_of(fields[j].name), name))
			return &fields[j];
	return NULL;
}

const struct type_desc *type_get(enum field_type type)
{
	return &types[type];
}

const struct syscall_desc *syscalls_get(size_t *ret_n)
{
	*ret_n = ELEMENTS(syscalls);
	return syscalls;
}

const char *syscall_name(uint32_t nr, bool is_compat)
{
	for (size_t i = 0; i < ELEMENTS(syscalls); i++) {
		int own = is_compat ? syscalls[i].nr_ia32 : syscalls[i].nr;

		if (own >= 0 && (uint32_t)own == nr)
			return syscalls[i].name;
	}
	return is_compat ? NULL : syscall_number_name(nr);
}

enum body body_of_kind(unsigned int kind)
{
	if (kind > 0 && kind < EV_END)
		return events[kind].body;
	switch (kind) {
	case WIRE_PROC:
		return BODY_wire_proc;
	case WIRE_CGROUP:
		return BODY_wire_cgroup;
	case WIRE_CONTAINER:
		return BODY_wire_container;
	case WIRE_USER:
		return BODY_wire_user;
	case WIRE_TALLY:
		return BODY_wire_tally;
	default:
		return BODY_END;
	}
}

size_t body_size(enum body body)
{
	return sizes[body];
}

size_t body_string(enum body body, size_t i)
{
	for (size_t j = 0; j < ELEMENTS(strings); j++)
		if (strings[j].body == body && i-- == 0)
			return strings[j].offset;
	return 0;
}

uint64_t events_of_group(enum event_group group)
{
	uint64_t mask = 0;

	for (unsigned int k = 1; k < EV_END; k++)
		if (events[k].group == group)
			mask |= KIND_BIT(k);
	return mask;
}

uint64_t events_in_view(enum event_view view)
{
	uint64_t mask = 0;

	for (unsigned int k = 1; k < EV_END; k++)
		if (events[k].view <= view)
			mask |= KIND_BIT(k);
	return mask;
}

uint64_t events_all(void)
{
	return events_in_view(VIEW_ASKED);
}

static bool mask_of_word(struct str word, uint64_t *ret)
{
	unsigned int kind = event_find(word);

	if (kind) {
		*ret = KIND_BIT(kind);
		return true;
	}
	for (size_t g = 0; g < ELEMENTS(groups); g++)
		if (str_eq(word, str_of(groups[g]))) {
			*ret = events_of_group(g);
			return true;
		}
	if (str_eq(word, STR("all")))
		*ret = events_all();
	else if (str_eq(word, STR("default")))
		*ret = events_in_view(VIEW_SHOWN);
	else
		return false;
	return true;
}

int events_parse(struct str list, uint64_t *ret_mask, struct str *ret_bad)
{
	uint64_t mask = 0, one;
	bool is_first = true;

	while (list.n) {
		const char *comma = memchr(list.p, ',', list.n);
		struct str word = {list.p, comma ? (size_t)(comma - list.p) : list.n};
		bool less = word.n && word.p[0] == '-';

		list.p += word.n + !!comma;
		list.n -= word.n + !!comma;
		if (less) {
			word.p++;
			word.n--;
		}
		if (!word.n)
			continue;
		if (!mask_of_word(word, &one)) {
			*ret_bad = word;
			return -EINVAL;
		}
		if (less)
			mask = (is_first ? events_in_view(VIEW_SHOWN) : mask) & ~one;
		else
			mask |= one;
		is_first = false;
	}
	*ret_mask = mask | KIND_BIT(EV_LOST);
	return 0;
}

const char *events_nearest(struct str word)
{
	const char *names[EV_END + ELEMENTS(groups) + 2];
	char typed[32];
	size_t n = 0;

	if (word.n >= sizeof(typed))
		return NULL;
	memcpy(typed, word.p, word.n);
	typed[word.n] = 0;
	for (unsigned int k = 1; k < EV_END; k++)
		names[n++] = events[k].name;
	for (size_t g = 0; g < ELEMENTS(groups); g++)
		names[n++] = groups[g];
	names[n++] = "all";
	names[n++] = "default";
	names[n] = NULL;
	return str_nearest(typed, names);
}
