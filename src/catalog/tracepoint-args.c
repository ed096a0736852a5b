/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/tracepoint-args.h"

#include "base/macro.h"

#include <string.h>

static const struct tracepoint_field fields[] = {
#define FIELD(group, event, field, arg, way, type, member) \
	{#group, #event, #field, arg, TRACEPOINT_##way, #type, #member},
#define OFTEN(group, event)
#include "catalog/tracepoint-args.def"
#undef FIELD
#undef OFTEN
};

static const char *const often[][2] = {
#define FIELD(group, event, field, arg, way, type, member)
#define OFTEN(group, event) {#group, #event},
#include "catalog/tracepoint-args.def"
#undef FIELD
#undef OFTEN
};

const struct tracepoint_field *tracepoint_field(const char *group, const char *event,
						const char *field)
{
	for (size_t i = 0; i < ELEMENTS(fields); i++)
		if (!strcmp(fields[i].event, event) && !strcmp(fields[i].field, field) &&
		    !strcmp(fields[i].group, group))
			return &fields[i];
	return NULL;
}

bool tracepoint_is_often(const char *group, const char *event)
{
	for (size_t i = 0; i < ELEMENTS(often); i++)
		if (!strcmp(often[i][0], group) && !strcmp(often[i][1], event))
			return true;
	return false;
}

const struct tracepoint_field *tracepoint_field_at(size_t i)
{
	return i < ELEMENTS(fields) ? &fields[i] : NULL;
}
