/* SPDX-License-Identifier: Apache-2.0 */
/* Between kfunc.c, kfunc-arg.c and kfunc-graph.c: one call of a kernel function. */
#pragma once

#include "runtime/vm/helper/kfunc-proto.h"
#include "runtime/vm/verify/internal.h"

/* Functions with rules of their own, by name. */
enum kfunc_id {
	KFUNC_PLAIN,
	KFUNC_OBJ_NEW,
	KFUNC_OBJ_DROP,
	KFUNC_PERCPU_OBJ_NEW,
	KFUNC_PERCPU_OBJ_DROP,
	KFUNC_REFCOUNT_ACQUIRE,
	KFUNC_LIST_PUSH_FRONT,
	KFUNC_LIST_PUSH_BACK,
	KFUNC_LIST_POP_FRONT,
	KFUNC_LIST_POP_BACK,
	KFUNC_RBTREE_ADD,
	KFUNC_RBTREE_REMOVE,
	KFUNC_RBTREE_FIRST,
	KFUNC_RCU_LOCK,
	KFUNC_RCU_UNLOCK,
	KFUNC_PREEMPT_DISABLE,
	KFUNC_PREEMPT_ENABLE,
	KFUNC_CAST_TO_KERN_CTX,
	KFUNC_RDONLY_CAST,
	KFUNC_DYNPTR_FROM_SKB,
	KFUNC_DYNPTR_FROM_XDP,
	KFUNC_DYNPTR_SLICE,
	KFUNC_DYNPTR_SLICE_RDWR,
	KFUNC_DYNPTR_CLONE,
	KFUNC_THROW,
	KFUNC_WQ_SET_CALLBACK,
	KFUNC_CSS_TASK_NEW,
	KFUNC_SESSION_COOKIE,
};

struct kfunc_call {
	const char *name;
	enum kfunc_id id;
	unsigned int flags;	    /* KFUNC_* */
	const struct btf_view *btf; /* where its prototype is */
	const struct btf_type *proto;
	unsigned int n;
	/* what the arguments said */
	unsigned int release;
	uint32_t ref;
	bool has_constant, is_result_rdonly, is_owning;
	uint64_t constant, result_size;
	struct reg object; /* allocated object, refcounted one, node */
	const struct vm_field *root;
	struct reg dynptr; /* the one that is initialised */
	unsigned int iter_slots, iter_flags;
	struct call call; /* map, for callbacks */
};

/* Numbers, and structs of numbers. */
bool btf_is_plain(const struct btf_view *b, uint32_t id);
int kfunc_args_check(struct verifier *v, struct kfunc_call *k);
enum kfunc_id kfunc_id_of(const char *name);
/* kfunc-graph.c */
int graph_root_check(struct verifier *v, struct kfunc_call *k, unsigned int regno,
		     enum vm_field_kind kind);
int graph_node_check(struct verifier *v, struct kfunc_call *k, unsigned int regno,
		     enum vm_field_kind kind);
/* The reference becomes one that the list or tree owns. */
int graph_give(struct verifier *v, unsigned int regno);
void graph_node_reg(struct verifier *v, struct reg *to, const struct vm_field *root);
void non_owning_set(struct verifier *v, struct reg *r);
bool is_in_less(const struct verifier *v);
