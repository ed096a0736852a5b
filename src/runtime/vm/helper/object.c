/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kfuncs of objects that programs make: bpf_obj_new(), their lists and trees.  What the kernel's
 * verifier adds as arguments (types, offsets) is not needed: an object's memory knows its type.
 */
#include "runtime/vm/helper/calls.h"
#include "runtime/vm/map/graph.h"
#include "runtime/vm/map/owned.h"

CALL(kfunc_obj_new)
{
	const struct vm_code *code = vm_current->code;

	return code ? call_number(owned_new(code->object, (uint32_t)a)) : 0;
}

CALL(kfunc_obj_drop)
{
	owned_drop(call_pointer(a));
	return 0;
}

CALL(kfunc_refcount_acquire)
{
	return call_number(owned_acquire(call_pointer(a)));
}

/* --- lists */

CALL(kfunc_list_push_front)
{
	return call_error(graph_list_push(call_pointer(a), call_pointer(b), false));
}

CALL(kfunc_list_push_back)
{
	return call_error(graph_list_push(call_pointer(a), call_pointer(b), true));
}

CALL(kfunc_list_pop_front)
{
	return call_number(graph_list_end(call_pointer(a), false, true));
}

CALL(kfunc_list_pop_back)
{
	return call_number(graph_list_end(call_pointer(a), true, true));
}

CALL(kfunc_list_front)
{
	return call_number(graph_list_end(call_pointer(a), false, false));
}

CALL(kfunc_list_back)
{
	return call_number(graph_list_end(call_pointer(a), true, false));
}

/* --- trees */

static int is_less(void *ctx, struct graph_tree_node *x, struct graph_tree_node *y)
{
	uint64_t r = code_callback(*(const uint64_t *)ctx, call_number(x), call_number(y), 0, 0, 0);

	/* the callback threw: the node is in no tree */
	return vm_current->unwind ? -EINTR : !!r;
}

/* (root, node, bool less(node, other)) */
CALL(kfunc_rbtree_add)
{
	return call_error(graph_tree_add(call_pointer(a), call_pointer(b), is_less, &c));
}

CALL(kfunc_rbtree_remove)
{
	return graph_tree_take(call_pointer(a), call_pointer(b)) ? b : 0;
}

CALL(kfunc_rbtree_first)
{
	return call_number(graph_tree_first(call_pointer(a)));
}

CALL(kfunc_rbtree_root)
{
	return call_number(((const struct graph_tree *)call_pointer(a))->root);
}

static uint64_t child_of(const struct graph_tree *t, const struct graph_tree_node *n,
			 unsigned int side)
{
	return n->owner == t ? call_number(n->child[side]) : 0;
}

CALL(kfunc_rbtree_left)
{
	return child_of(call_pointer(a), call_pointer(b), 0);
}

CALL(kfunc_rbtree_right)
{
	return child_of(call_pointer(a), call_pointer(b), 1);
}
