/* SPDX-License-Identifier: Apache-2.0 */
/* The functions behind the rows of lower-call.c. */
#pragma once

#include "compile/lang/bpftrace/lower-internal.h"

struct ir_val call_argn(struct lower *L, struct expr *e);
struct ir_val call_bswap(struct lower *L, struct expr *e);
struct ir_val call_cgroup(struct lower *L, struct expr *e);
struct ir_val call_cgroupid(struct lower *L, struct expr *e);
struct ir_val call_cpid(struct lower *L, struct expr *e);
struct ir_val call_cpu(struct lower *L, struct expr *e);
struct ir_val call_ctx(struct lower *L, struct expr *e);
struct ir_val call_curtask(struct lower *L, struct expr *e);
struct ir_val call_delete(struct lower *L, struct expr *e);
struct ir_val call_elapsed(struct lower *L, struct expr *e);
struct ir_val call_find(struct lower *L, struct expr *e);
struct ir_val call_func(struct lower *L, struct expr *e);
struct ir_val call_gid(struct lower *L, struct expr *e);
struct ir_val call_has_cpid(struct lower *L, struct expr *e);
struct ir_val call_has_key(struct lower *L, struct expr *e);
struct ir_val call_is_err(struct lower *L, struct expr *e);
struct ir_val call_jiffies(struct lower *L, struct expr *e);
struct ir_val call_kaddr(struct lower *L, struct expr *e);
struct ir_val call_len(struct lower *L, struct expr *e);
struct ir_val call_memcmp(struct lower *L, struct expr *e);
struct ir_val call_ncpus(struct lower *L, struct expr *e);
struct ir_val call_nsecs(struct lower *L, struct expr *e);
struct ir_val call_numaid(struct lower *L, struct expr *e);
struct ir_val call_percpu_kaddr(struct lower *L, struct expr *e);
struct ir_val call_pid(struct lower *L, struct expr *e);
struct ir_val call_rand(struct lower *L, struct expr *e);
struct ir_val call_reg(struct lower *L, struct expr *e);
struct ir_val call_relative_pid(struct lower *L, struct expr *e);
struct ir_val call_retval(struct lower *L, struct expr *e);
struct ir_val call_same(struct lower *L, struct expr *e);
struct ir_val call_skboutput(struct lower *L, struct expr *e);
struct ir_val call_socket_cookie(struct lower *L, struct expr *e);
struct ir_val call_strcap(struct lower *L, struct expr *e);
struct ir_val call_strlen(struct lower *L, struct expr *e);
struct ir_val call_strncmp(struct lower *L, struct expr *e);
struct ir_val call_strstr(struct lower *L, struct expr *e);
struct ir_val call_tid(struct lower *L, struct expr *e);
struct ir_val call_uaddr(struct lower *L, struct expr *e);
struct ir_val call_uid(struct lower *L, struct expr *e);
struct ir_val call_usermode(struct lower *L, struct expr *e);
struct ir_val call_write_user(struct lower *L, struct expr *e);

void call_buf(struct lower *L, struct expr *e, struct mem to, bool clean);
void call_cgroup_path(struct lower *L, struct expr *e, struct mem to, bool clean);
void call_comm(struct lower *L, struct expr *e, struct mem to, bool clean);
void call_func_into(struct lower *L, struct expr *e, struct mem to, bool clean);
void call_macaddr(struct lower *L, struct expr *e, struct mem to, bool clean);
void call_ntop(struct lower *L, struct expr *e, struct mem to, bool clean);
void call_path(struct lower *L, struct expr *e, struct mem to, bool clean);
void call_probe(struct lower *L, struct expr *e, struct mem to, bool clean);
void call_probetype(struct lower *L, struct expr *e, struct mem to, bool clean);
void call_pton(struct lower *L, struct expr *e, struct mem to, bool clean);
void call_relative_comm(struct lower *L, struct expr *e, struct mem to, bool clean);
void call_retval_into(struct lower *L, struct expr *e, struct mem to, bool clean);
void call_stack(struct lower *L, struct expr *e, struct mem to, bool clean);
void call_str(struct lower *L, struct expr *e, struct mem to, bool clean);
void call_str_concat(struct lower *L, struct expr *e, struct mem to, bool clean);
void call_strftime(struct lower *L, struct expr *e, struct mem to, bool clean);
void call_usym(struct lower *L, struct expr *e, struct mem to, bool clean);

void call_assert(struct lower *L, struct expr *e);
void call_clear(struct lower *L, struct expr *e);
void call_debugf(struct lower *L, struct expr *e);
void call_exit(struct lower *L, struct expr *e);
void call_format(struct lower *L, struct expr *e);
void call_join(struct lower *L, struct expr *e);
void call_override(struct lower *L, struct expr *e);
void call_print(struct lower *L, struct expr *e);
void call_signal(struct lower *L, struct expr *e);
void call_time(struct lower *L, struct expr *e);
void call_unwatch(struct lower *L, struct expr *e);

/* Bytes from the start of a kernel struct to a member; -1: unknown. */
int lower_btf_offset(struct lower *L, const char *type, const char *member);
struct ir_val lower_boottime(struct lower *L);
ir_reg lower_current_task(struct lower *L);
