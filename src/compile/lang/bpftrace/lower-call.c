/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What builtins become: one row each, by what its value is.  The functions are in
 * lower-call-value.c (numbers), -text.c (text and bytes), -stack.c, -map.c and -action.c
 * (what has no value).
 */
#include "compile/lang/bpftrace/lower-call.h"

struct expr *call_arg(const struct expr *e, unsigned int i)
{
	return i < e->items.n ? e->items.p[i] : NULL;
}

const char *call_text(const struct expr *e, unsigned int i)
{
	const struct expr *a = call_arg(e, i);

	while (a && a->kind == EXPR_CAST)
		a = a->a;
	return a && a->kind == EXPR_STRING ? a->text.p ? a->text.p : "" : NULL;
}

/* Literals that the checker should have made of these. */
static struct ir_val known(struct lower *L, struct expr *e)
{
	(void)L;
	return IR_I((int64_t)e->number);
}

const struct lower_call lower_calls[BUILTINS] = {
	[BUILTIN_ARG] = {.scalar = call_argn},
	[BUILTIN_ARGS] = {.scalar = call_ctx},
	[BUILTIN_ASSERT] = {.effect = call_assert},
	[BUILTIN_ASSERT_STR] = {.scalar = known},
	[BUILTIN_BSWAP] = {.scalar = call_bswap},
	[BUILTIN_BUF] = {.into = call_buf},
	[BUILTIN_CAT] = {.effect = call_format},
	[BUILTIN_CGROUP] = {.scalar = call_cgroup},
	[BUILTIN_CGROUP_PATH] = {.into = call_cgroup_path},
	[BUILTIN_CGROUPID] = {.scalar = call_cgroupid},
	[BUILTIN_CLEAR] = {.effect = call_clear},
	[BUILTIN_COMM] = {.into = call_comm},
	[BUILTIN_CPID] = {.scalar = call_cpid},
	[BUILTIN_CPU] = {.scalar = call_cpu},
	[BUILTIN_CTX] = {.scalar = call_ctx},
	[BUILTIN_CURTASK] = {.scalar = call_curtask},
	[BUILTIN_DEBUGF] = {.effect = call_debugf},
	[BUILTIN_DELETE] = {.scalar = call_delete},
	[BUILTIN_ELAPSED] = {.scalar = call_elapsed},
	[BUILTIN_ERRORF] = {.effect = call_format},
	[BUILTIN_EXIT] = {.effect = call_exit},
	[BUILTIN_FAIL] = {.effect = call_format},
	[BUILTIN_FIND] = {.scalar = call_find},
	[BUILTIN_FUNC] = {.scalar = call_func, .into = call_func_into},
	[BUILTIN_GID] = {.scalar = call_gid},
	[BUILTIN_HAS_CPID] = {.scalar = call_has_cpid},
	[BUILTIN_HAS_KEY] = {.scalar = call_has_key},
	[BUILTIN_IS_ARRAY] = {.scalar = known},
	[BUILTIN_IS_ERR] = {.scalar = call_is_err},
	[BUILTIN_IS_INTEGER] = {.scalar = known},
	[BUILTIN_IS_LITERAL] = {.scalar = known},
	[BUILTIN_IS_PTR] = {.scalar = known},
	[BUILTIN_IS_STR] = {.scalar = known},
	[BUILTIN_IS_UNSIGNED_INTEGER] = {.scalar = known},
	[BUILTIN_JIFFIES] = {.scalar = call_jiffies},
	[BUILTIN_JOIN] = {.effect = call_join},
	[BUILTIN_KADDR] = {.scalar = call_kaddr},
	[BUILTIN_KPTR] = {.scalar = call_same},
	[BUILTIN_KSTACK] = {.into = call_stack},
	[BUILTIN_KSTR] = {.into = call_str},
	[BUILTIN_KSYM] = {.scalar = call_same},
	[BUILTIN_LEADER_COMM] = {.into = call_relative_comm},
	[BUILTIN_LEADER_TID] = {.scalar = call_relative_pid},
	[BUILTIN_LEN] = {.scalar = call_len},
	[BUILTIN_MACADDR] = {.into = call_macaddr},
	[BUILTIN_MEMCMP] = {.scalar = call_memcmp},
	[BUILTIN_NCPUS] = {.scalar = call_ncpus},
	[BUILTIN_NSECS] = {.scalar = call_nsecs},
	[BUILTIN_NTOP] = {.into = call_ntop},
	[BUILTIN_NUMAID] = {.scalar = call_numaid},
	[BUILTIN_OVERRIDE] = {.effect = call_override},
	[BUILTIN_PATH] = {.into = call_path},
	[BUILTIN_PCOMM] = {.into = call_relative_comm},
	[BUILTIN_PERCPU_KADDR] = {.scalar = call_percpu_kaddr},
	[BUILTIN_PID] = {.scalar = call_pid},
	[BUILTIN_PPID] = {.scalar = call_relative_pid},
	[BUILTIN_PRINT] = {.effect = call_print},
	[BUILTIN_PRINTF] = {.effect = call_format},
	[BUILTIN_PROBE] = {.into = call_probe},
	[BUILTIN_PROBETYPE] = {.into = call_probetype},
	[BUILTIN_PTON] = {.into = call_pton},
	[BUILTIN_RAND] = {.scalar = call_rand},
	[BUILTIN_REG] = {.scalar = call_reg},
	[BUILTIN_RETVAL] = {.scalar = call_retval, .into = call_retval_into},
	[BUILTIN_SIGNAL] = {.effect = call_signal},
	[BUILTIN_SIGNAL_NAME] = {.scalar = call_same},
	[BUILTIN_SIGNAL_THREAD] = {.effect = call_signal},
	[BUILTIN_SKBOUTPUT] = {.scalar = call_skboutput},
	[BUILTIN_SOCKET_COOKIE] = {.scalar = call_socket_cookie},
	[BUILTIN_STACK_LEN] = {.scalar = call_len},
	[BUILTIN_STATIC_ASSERT] = {.scalar = known},
	[BUILTIN_STR] = {.into = call_str},
	[BUILTIN_STR_CONCAT] = {.into = call_str_concat},
	[BUILTIN_STRCAP] = {.scalar = call_strcap},
	[BUILTIN_STRCONTAINS] = {.scalar = call_strstr},
	[BUILTIN_STRERROR] = {.scalar = call_same},
	[BUILTIN_STRFTIME] = {.into = call_strftime},
	[BUILTIN_STRLEN] = {.scalar = call_strlen},
	[BUILTIN_STRNCMP] = {.scalar = call_strncmp},
	[BUILTIN_STRSTR] = {.scalar = call_strstr},
	[BUILTIN_SYSCALL_NAME] = {.scalar = call_same},
	[BUILTIN_SYSTEM] = {.effect = call_format},
	[BUILTIN_TID] = {.scalar = call_tid},
	[BUILTIN_TIME] = {.effect = call_time},
	[BUILTIN_UADDR] = {.scalar = call_uaddr},
	[BUILTIN_UID] = {.scalar = call_uid},
	[BUILTIN_UNWATCH] = {.effect = call_unwatch},
	[BUILTIN_UPTR] = {.scalar = call_same},
	[BUILTIN_USERMODE] = {.scalar = call_usermode},
	[BUILTIN_USERNAME] = {.scalar = call_uid},
	[BUILTIN_USTACK] = {.into = call_stack},
	[BUILTIN_USYM] = {.into = call_usym},
	[BUILTIN_WARNF] = {.effect = call_format},
	[BUILTIN_WRITE_USER] = {.scalar = call_write_user},
	[BUILTIN_ZERO] = {.effect = call_clear},
};
