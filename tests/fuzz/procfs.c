/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a file of /proc, or as /etc/passwd: what is borrowed lies inside. */
#include "event/ident/procfs.h"
#include "event/ident/users.h"

#include <assert.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_users(struct str s)
{
	_cleanup_(users_done) struct users u = {0};
	uint32_t uid;

	users_parse(&u, s);
	for (size_t i = 0; i < u.n; i++) {
		const char *name = u.names.p + u.list[i].name;

		assert(u.list[i].name < u.names.n);
		assert(*name && strlen(name) < USERS_NAME_MAX);
		assert(users_name(&u, u.list[i].uid));
		assert(!users_id(&u, name, &uid));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str s = {(const char *)data, n};
	struct procfs_status status;
	struct procfs_stat stat;
	uint32_t v;

	if (!procfs_parse_stat(s, &stat)) {
		assert(memchr(stat.comm, 0, sizeof(stat.comm)));
		assert(memchr(data, ')', n));
	}
	procfs_parse_status(s, &status);
	procfs_parse_uint(s, &v);
	procfs_parse_ns(s, &v);
	check_users(s);
	return 0;
}
