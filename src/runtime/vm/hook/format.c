/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vm/hook/format.h"

#include "base/macro.h"
#include "catalog/syscall-args.h"
#include "catalog/syscall-table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FIELD_OF(body, word, member, ...)                                  \
	{                                                                  \
		.type = word, .name = #member, .type_n = sizeof(word) - 1, \
		.offset = offsetof(struct body, member),                   \
		.size = sizeof(((struct body *)NULL)->member), __VA_ARGS__ \
	}
#define TEXT   .is_data_loc = true
#define SIGNED .is_signed = true

static const struct {
	const char *group, *event;
	struct format format;
} events[] = {
	{"raw_syscalls",
	 "sys_enter",
	 {{FIELD_OF(format_raw_enter, "long", id, SIGNED),
	   FIELD_OF(format_raw_enter, "unsigned long[6]", args)},
	  2}},
	{"raw_syscalls",
	 "sys_exit",
	 {{FIELD_OF(format_raw_exit, "long", id, SIGNED),
	   FIELD_OF(format_raw_exit, "long", ret, SIGNED)},
	  2}},
	{"sched",
	 "sched_process_exec",
	 {{FIELD_OF(format_exec, "__data_loc char[]", filename, TEXT),
	   FIELD_OF(format_exec, "pid_t", pid, SIGNED),
	   FIELD_OF(format_exec, "pid_t", old_pid, SIGNED)},
	  3}},
	{"sched",
	 "sched_process_exit",
	 {{FIELD_OF(format_end, "char[16]", comm), FIELD_OF(format_end, "pid_t", pid, SIGNED),
	   FIELD_OF(format_end, "int", prio, SIGNED), FIELD_OF(format_end, "bool", group_dead)},
	  4}},
	{"sched",
	 "sched_process_fork",
	 {{FIELD_OF(format_fork, "__data_loc char[]", parent_comm, TEXT),
	   FIELD_OF(format_fork, "pid_t", parent_pid, SIGNED),
	   FIELD_OF(format_fork, "__data_loc char[]", child_comm, TEXT),
	   FIELD_OF(format_fork, "pid_t", child_pid, SIGNED)},
	  4}},
};

static const char enter_prefix[] = "sys_enter_", exit_prefix[] = "sys_exit_";

static struct format_field number(void)
{
	return (struct format_field){.type = "int",
				     .name = "__syscall_nr",
				     .type_n = 3,
				     .offset = offsetof(struct format_enter, nr),
				     .size = 4,
				     .is_signed = true};
}

/* "const char * filename": the name is behind the last space. */
static struct format_field argument(const char *text, unsigned int i)
{
	const char *space = strrchr(text, ' ');

	return (struct format_field){
		.type = text,
		.name = space + 1,
		.type_n = (uint32_t)(space - text),
		.offset = (uint32_t)(offsetof(struct format_enter, args) + i * sizeof(uint64_t)),
		.size = sizeof(uint64_t)};
}

static int enter_format(const char *call, struct format *ret)
{
	const struct syscall_args *a = syscall_args(call);

	if (!a || syscall_number(call) < 0)
		return -ENOENT;
	ret->fields[0] = number();
	ret->n = 1;
	for (unsigned int i = 0; i < SYSCALL_ARGS_MAX && a->args[i]; i++)
		ret->fields[ret->n++] = argument(a->args[i], i);
	return 0;
}

static int exit_format(const char *call, struct format *ret)
{
	if (!syscall_args(call) || syscall_number(call) < 0)
		return -ENOENT;
	ret->fields[0] = number();
	ret->fields[1] = (struct format_field)FIELD_OF(format_exit, "long", ret, SIGNED);
	ret->n = 2;
	return 0;
}

static bool starts(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

int format_find(const char *group, const char *event, struct format *ret)
{
	if (!strcmp(group, "syscalls")) {
		if (starts(event, enter_prefix))
			return enter_format(event + sizeof(enter_prefix) - 1, ret);
		if (starts(event, exit_prefix))
			return exit_format(event + sizeof(exit_prefix) - 1, ret);
		return -ENOENT;
	}
	for (size_t i = 0; i < ELEMENTS(events); i++) {
		if (strcmp(events[i].group, group) != 0 || strcmp(events[i].event, event) != 0)
			continue;
		*ret = events[i].format;
		return 0;
	}
	return -ENOENT;
}

void format_each(format_fn fn, void *ctx)
{
	const struct syscall_args *a;
	char name[64];

	for (size_t i = 0; i < ELEMENTS(events); i++)
		fn(ctx, events[i].group, events[i].event);
	for (size_t i = 0; (a = syscall_args_at(i)); i++) {
		if (syscall_number(a->name) < 0)
			continue;
		snprintf(name, sizeof(name), "%s%s", enter_prefix, a->name);
		fn(ctx, "syscalls", name);
		snprintf(name, sizeof(name), "%s%s", exit_prefix, a->name);
		fn(ctx, "syscalls", name);
	}
}
