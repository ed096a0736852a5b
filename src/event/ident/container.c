/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers by the names of their cgroups.
 *
 * The kernel knows no containers.  It knows cgroups, and every runtime makes one
 * for each container and writes the container's id into its name:
 *
 *   /system.slice/docker-<id>.scope               through systemd
 *   /docker/<id>                                  by itself ("cgroupfs")
 *   /kubepods.slice/…-pod<uid>.slice/cri-containerd-<id>.scope
 *   /kubepods/besteffort/pod<uid>/<id>            the same two ways, in a pod
 *
 * So a path is read from its end to its start, one name at a time, against the
 * table of layouts.  What does not fit is skipped: below its cgroup a container
 * may make as many more as it likes (`/init.scope`, `/supervisor`), and above it
 * stand slices of all kinds.  The first fit is the innermost container; the walk
 * goes on to the root to find the pod, and the outermost container.
 *
 * Nothing is read from disk here, and nothing is kept: `ret->id` points into the
 * path.
 */
#include "event/ident/container.h"

#include <stdint.h>

enum id_kind { ID_HEX, ID_NAME, ID_WHOLE };

enum { RUNTIME_NONE = RUNTIME_COUNT };

struct layout {
	unsigned runtime; /* enum container_runtime, or RUNTIME_NONE */
	struct str parent, before;
	enum id_kind id;
	struct str after;
};

#define TEXT(s)                  \
	{                        \
		s, sizeof(s) - 1 \
	}

static const struct layout layouts[] = {
#define LAYOUT(runtime, parent, before, id, after) \
	{RUNTIME_##runtime, TEXT(parent), TEXT(before), ID_##id, TEXT(after)},
#include "event/ident/container.def"
#undef LAYOUT
};

const char *container_runtime_name(enum container_runtime runtime)
{
	static const char *const names[RUNTIME_COUNT] = {
#define RUNTIME(id, name) [RUNTIME_##id] = name,
#include "event/ident/container.def"
#undef RUNTIME
	};

	return (unsigned)runtime < RUNTIME_COUNT ? names[runtime] : names[RUNTIME_UNKNOWN];
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool container_id_is_hex(struct str id)
{
	if (id.n != CONTAINER_ID_HEX)
		return false;
	for (size_t i = 0; i < id.n; i++)
		if (!is_hex(id.p[i]))
			return false;
	return true;
}

/* The last name within the first `end` bytes; n is 0 when there is none left. */
static struct str last_name(struct str path, size_t end)
{
	size_t begin;

	while (end && path.p[end - 1] == '/')
		end--;
	begin = end;
	while (begin && path.p[begin - 1] != '/')
		begin--;
	return (struct str){path.p + begin, end - begin};
}

static struct str rest(struct str s, size_t from)
{
	return (struct str){s.p + from, s.n - from};
}

static bool parent_fits(struct str parent, struct str pattern)
{
	if (!pattern.n)
		return true;
	if (pattern.p[pattern.n - 1] == '*')
		return str_starts(parent, (struct str){pattern.p, pattern.n - 1});
	return str_eq(parent, pattern);
}

static bool id_fits(struct str id, enum id_kind kind)
{
	switch (kind) {
	case ID_HEX:
		return container_id_is_hex(id);
	case ID_NAME:
	case ID_WHOLE:
		return id.n > 0;
	}
	return false;
}

/* "slice:prefix:id", of which `notation` is what follows the slice. */
static bool notation_fits(const struct layout *l, struct str notation, struct str *ret_id)
{
	struct str prefix = {l->before.p, l->before.n ? l->before.n - 1 : 0};

	if (!prefix.n || l->before.p[prefix.n] != '-' || !str_starts(notation, prefix) ||
	    notation.n <= prefix.n || notation.p[prefix.n] != ':')
		return false;
	*ret_id = rest(notation, prefix.n + 1);
	return id_fits(*ret_id, l->id);
}

static bool name_fits(const struct layout *l, struct str name, struct str *ret_id)
{
	struct str id;

	if (!str_starts(name, l->before))
		return false;
	id = rest(name, l->before.n);
	if (!str_ends(id, l->after))
		return false;
	id.n -= l->after.n;
	if (!id_fits(id, l->id))
		return false;
	*ret_id = l->id == ID_WHOLE ? name : id;
	return true;
}

/* The container whose cgroup has this name below `parent`; RUNTIME_NONE: it is none's. */
static unsigned runtime_of_name(struct str name, struct str parent, struct str *ret_id)
{
	const char *colon = memchr(name.p, ':', name.n);

	if (name.n > CONTAINER_ID_MAX)
		return RUNTIME_NONE;
	for (size_t i = 0; i < ELEMENTS(layouts); i++) {
		const struct layout *l = &layouts[i];

		if (colon ? notation_fits(l, rest(name, colon + 1 - name.p), ret_id)
			  : parent_fits(parent, l->parent) && name_fits(l, name, ret_id))
			return l->runtime;
	}
	return RUNTIME_NONE;
}

/*
 * Kubernetes' uid of a pod: a UUID, of a static pod 32 digits.  systemd uses the
 * dash in a slice's name as we use the slash, so there kubelet writes `_` for it.
 */
static bool pod_uid_of(struct str text, char *ret_uid)
{
	if (text.n != 36 && text.n != 32)
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (!is_hex(text.p[i]) && text.p[i] != '-' && text.p[i] != '_')
			return false;
	for (size_t i = 0; i < text.n; i++)
		ret_uid[i] = text.p[i] == '_' ? '-' : text.p[i];
	ret_uid[text.n] = 0;
	return true;
}

/* What follows the last `mark` in `s`; n is 0 if there is none. */
static struct str after_last(struct str s, struct str mark)
{
	for (size_t i = s.n; i-- > 0;)
		if (str_starts(rest(s, i), mark))
			return rest(s, i + mark.n);
	return (struct str){NULL, 0};
}

/* Is this the cgroup of a pod?  kubepods…-pod<uid>.slice, pod<uid>, …-libpod_pod_<id>.slice. */
static bool pod_of_name(struct str name, char *ret_uid)
{
	const char *colon = memchr(name.p, ':', name.n);
	struct str text;

	if (colon)
		name.n = colon - name.p;
	if (!str_ends(name, STR(".slice")))
		return str_starts(name, STR("pod")) && pod_uid_of(rest(name, 3), ret_uid);
	name.n -= strlen(".slice");
	text = after_last(name, STR("libpod_pod_"));
	if (container_id_is_hex(text)) {
		memcpy(ret_uid, text.p, text.n);
		ret_uid[text.n] = 0;
		return true;
	}
	return after_last(name, STR("kubepods")).n &&
	       pod_uid_of(after_last(name, STR("-pod")), ret_uid);
}

bool container_of_cgroup(struct str path, struct container_ref *ret)
{
	struct container_ref found = {0};

	if (!path.n)
		return false;
	for (struct str name = last_name(path, path.n), parent; name.n; name = parent) {
		size_t begin = name.p - path.p;
		struct str id;
		unsigned runtime;

		parent = last_name(path, begin);
		runtime = runtime_of_name(name, parent, &id);
		if (runtime != RUNTIME_NONE) {
			found.outer_n = begin + name.n;
			if (!found.cgroup_n) {
				found.runtime = runtime;
				found.id = id;
				found.cgroup_n = found.outer_n;
				/* podman without systemd: the pod's cgroup is its bare id */
				if (runtime == RUNTIME_PODMAN && container_id_is_hex(parent))
					memcpy(found.pod_uid, parent.p, parent.n);
			}
		}
		if (found.cgroup_n && !found.pod_uid[0])
			pod_of_name(name, found.pod_uid);
	}
	if (!found.cgroup_n)
		return false;
	*ret = found;
	return true;
}
