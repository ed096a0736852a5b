/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of `skep watch` over a traced command share; for watch*.c only.
 *
 *	watch.c          life, which calls are looked at, counts
 *	watch-record.c   records put together; what /proc says of a task
 *	watch-process.c  exec, fork, exit, credentials
 *	watch-file.c     calls that name a file; calls of numbers
 *	watch-socket.c   connections
 *	watch-net.c      calls on sockets and descriptors, as calls
 *	watch-annex.c    what rules want to know of a task
 */
#pragma once

#include "catalog/wire/event.h"
#include "catalog/wire/scope.h"
#include "runtime/runtime.h"
#include "runtime/vm/hook/tracer.h"

#include <sys/socket.h>

/* A record in the making. */
struct record {
	union {
		struct wire_head head;
		struct wire_proc proc;
		struct wire_fork fork;
		struct wire_exit exit;
		struct wire_file file;
		struct wire_conn conn;
		struct wire_sock sock;
		struct wire_sys sys;
		struct wire_creds creds;
		uint8_t bytes[WIRE_RECORD_MAX];
	};
	size_t used;
};

/* A connection of a traced process, by its descriptor. */
struct connection {
	pid_t pid;
	int fd;
	uint64_t inode, opened_ns;
	bool is_pending; /* connect() has begun; getsockopt() or another connect() will tell */
	struct wire_conn told; /* as it was told, or will be */
};

struct watch_vm {
	struct runtime base;
	struct runtime_config config; /* its strings are NULL but those below */
	char comm[16];		      /* glob; "": any */
	struct tracer *tracer;
	struct wire_count count;
	runtime_record_fn fn; /* during a poll */
	void *ctx;
	int refused; /* what `fn` said; < 0: stop */
	bool is_stopped, has_child;
	int page_kb;
	uint64_t tick_ns;
	char cgroup_mount[256];		/* where cgroup2 is; "": nowhere */
	struct connection *connections; /* owned */
	size_t n_connections, room;
	struct record record;
	struct tracer_task *of;	 /* whose record it is; NULL: somebody's who is gone */
	struct wire_annex annex; /* of the record: what watch_annex() is to add to the task's */
};

/* What is kept of a task: tracer_task.data. */
struct watch_task {
	uint64_t start_ns, cgroup;
	uint32_t uid, gid, peak_kb;
	bool is_known, was_there; /* was_there: the file that an open may make */
	bool has_facts;
	struct wire_annex facts; /* of the task, while nothing that we see changes them */
};

/* --- records */

struct watch_task *watch_task(struct watch_vm *w, struct tracer_task *t);
/* A record of `n` bytes for this task, its strings empty. */
void watch_begin(struct watch_vm *w, struct tracer_task *t, unsigned int kind, size_t n);
struct wire_str watch_put(struct watch_vm *w, const char *p, size_t n);
/* A string of the task's memory, at most `max` bytes with its NUL. */
struct wire_str watch_put_user(struct watch_vm *w, struct tracer_task *t, uint64_t at, size_t max);
/* What a link in the task's folder of /proc leads to: "exe", "cwd", "fd/3". */
struct wire_str watch_put_link(struct watch_vm *w, struct tracer_task *t, const char *name);
bool watch_wants(const struct watch_vm *w, unsigned int kind);
void watch_send(struct watch_vm *w);

/* Of /proc/TID/name; bytes, 0 if there is nothing.  Always ends with a NUL. */
size_t watch_read(pid_t tid, const char *name, char *to, size_t room);
/* The number behind `name` in a text of lines; 0. */
uint64_t watch_number(const char *text, const char *name, int base);
/* Inode, file system and bits (enum wire_file_bit) of a file of /proc. */
struct watch_facts {
	uint64_t inode;
	uint32_t dev, nlink, bits, mode;
};
bool watch_facts(struct tracer_task *t, const char *name, struct watch_facts *ret);

/* --- events */

void watch_exec(struct watch_vm *w, const struct tracer_event *e);
void watch_exec_failed(struct watch_vm *w, struct tracer_task *t, const struct sys_desc *d);
void watch_fork(struct watch_vm *w, const struct tracer_event *e);
void watch_end(struct watch_vm *w, const struct tracer_event *e);
void watch_creds(struct watch_vm *w, struct tracer_task *t, const struct sys_desc *d);
void watch_open_begins(struct watch_vm *w, struct tracer_task *t, const struct sys_desc *d);
void watch_open(struct watch_vm *w, struct tracer_task *t, const struct sys_desc *d);
void watch_path(struct watch_vm *w, struct tracer_task *t, const struct sys_desc *d);
void watch_args(struct watch_vm *w, struct tracer_task *t, const struct sys_desc *d);
/* With rules: the annex of the record that is about to be sent. */
void watch_annex(struct watch_vm *w);
void watch_put_env(struct watch_vm *w, struct tracer_task *t); /* EV_EXEC */

/* A descriptor like the task's own, for the caller to close; -1: we may not. */
int watch_borrow(const struct tracer_task *t, int fd);
void watch_take_address(const struct sockaddr_storage *a, __u8 *addr, __u16 *port);
void watch_net(struct watch_vm *w, struct tracer_task *t, const struct sys_desc *d);
void watch_socket(struct watch_vm *w, struct tracer_task *t, const struct sys_desc *d);
void watch_close(struct watch_vm *w, struct tracer_task *t, int fd); /* before it happens */
void watch_asked(struct watch_vm *w, struct tracer_task *t);	  /* getsockopt() gave SO_ERROR */
void watch_sockets_of(struct watch_vm *w, struct tracer_task *t); /* the process ends */
