/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/tracepoint-args.h"

#include "base/macro.h"

#include <string.h>

static const struct tracepoint_field fields[] = {
#define FIELD(group, event, field, arg, way, type, member) \
	{#group, #event, #field, arg, TRACEPOINT_##way, #type, #member},
#include "catalog/tracepoint-args.def"
#undef FIELD
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

const struct tracepoint_field *tracepoint_field_at(size_t i)
{
	return i < ELEMENTS(fields) ? &fields[i] : NULL;
}
