/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kfuncs of lists and trees: bpf_list_push_front(), bpf_rbtree_add() and their kin.
 *
 * Heads and nodes are inside the program's own objects and values, as large as the kernel's.
 * Programs hold the lock beside the head, so nothing is locked here.  A node knows which head it
 * is in: adding it twice is refused, and drops the reference that was handed over.
 *
 * The tree is a treap: by its order a search tree, by a number that is made of each node's
 * address a heap, which keeps it as flat as a tree of random insertions.  It needs nothing but
 * the three pointers that a node has room for.
 */
#include "runtime/vm/helper/graph.h"

#include "runtime/vm/helper/calls.h"
#include "runtime/vm/helper/owned.h"

struct list {
	struct list *next, *prev; /* a head: NULL until it is used */
};
struct list_node {
	struct list list;
	void *owner; /* the head; NULL: in no list */
};

static void list_init(struct list *head)
{
	if (!head->next)
		head->next = head->prev = head;
}

/* Claim a node for `owner`; false: it is in something already, and the reference is dropped. */
static bool claim(void *node, void **its_owner, void *owner)
{
	void *nobody = NULL;

	if (__atomic_compare_exchange_n(its_owner, &nobody, owner, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return true;
	owned_drop(node);
	return false;
}

static uint64_t list_push(struct list *head, struct list_node *n, bool is_back)
{
	struct list *after;

	list_init(head);
	if (!claim(n, &n->owner, head))
		return call_error(-EINVAL);
	after = is_back ? head->prev : head;
	n->list = (struct list){after->next, after};
	after->next->prev = &n->list;
	after->next = &n->list;
	return 0;
}

static void *list_end(struct list *head, bool is_back, bool take)
{
	struct list_node *n;

	list_init(head);
	n = (struct list_node *)(is_back ? head->prev : head->next);
	if (&n->list == head)
		return NULL;
	if (take) {
		n->list.prev->next = n->list.next;
		n->list.next->prev = n->list.prev;
		n->list = (struct list){&n->list, &n->list};
		__atomic_store_n(&n->owner, NULL, __ATOMIC_RELEASE);
	}
	return n;
}

void *graph_list_pop(void *head)
{
	return list_end(head, false, true);
}

CALL(kfunc_list_push_front)
{
	return list_push(call_pointer(a), call_pointer(b), false);
}

CALL(kfunc_list_push_back)
{
	return list_push(call_pointer(a), call_pointer(b), true);
}

CALL(kfunc_list_pop_front)
{
	return call_number(list_end(call_pointer(a), false, true));
}

CALL(kfunc_list_pop_back)
{
	return call_number(list_end(call_pointer(a), true, true));
}

CALL(kfunc_list_front)
{
	return call_number(list_end(call_pointer(a), false, false));
}

CALL(kfunc_list_back)
{
	return call_number(list_end(call_pointer(a), true, false));
}

/* --- the tree */

struct tree_node {
	struct tree_node *parent, *child[2];
	void *owner;
};
struct tree {
	struct tree_node *root;
	void *unused;
};

static uint64_t rank_of(const struct tree_node *n)
{
	return (uintptr_t)n * 0x9e3779b97f4a7c15ull;
}

static struct tree_node **link_to(struct tree *t, struct tree_node *n)
{
	struct tree_node *p = n->parent;

	return !p ? &t->root : &p->child[p->child[1] == n];
}

/* Bring n's child of this side up to where n is. */
static void rotate(struct tree *t, struct tree_node *n, unsigned int side)
{
	struct tree_node *up = n->child[side], *middle = up->child[!side];

	*link_to(t, n) = up;
	up->parent = n->parent;
	up->child[!side] = n;
	n->parent = up;
	n->child[side] = middle;
	if (middle)
		middle->parent = n;
}

static void tree_take(struct tree *t, struct tree_node *n)
{
	/* down, until there is at most one child that can take its place */
	while (n->child[0] && n->child[1])
		rotate(t, n, rank_of(n->child[1]) > rank_of(n->child[0]));
	*link_to(t, n) = n->child[0] ? n->child[0] : n->child[1];
	if (n->child[0] || n->child[1])
		n->child[!n->child[0]]->parent = n->parent;
	n->parent = n->child[0] = n->child[1] = NULL;
	__atomic_store_n(&n->owner, NULL, __ATOMIC_RELEASE);
}

static struct tree_node *tree_first(struct tree *t)
{
	struct tree_node *n = t->root;

	while (n && n->child[0])
		n = n->child[0];
	return n;
}

void *graph_tree_pop(void *root)
{
	struct tree_node *n = tree_first(root);

	if (n)
		tree_take(root, n);
	return n;
}

/* (root, node, bool less(node, other)) */
CALL(kfunc_rbtree_add)
{
	struct tree *t = call_pointer(a);
	struct tree_node *n = call_pointer(b), **link = &t->root, *parent = NULL;

	if (!claim(n, &n->owner, t))
		return call_error(-EINVAL);
	while (*link) {
		parent = *link;
		link = &parent->child[!code_callback(c, b, call_number(parent), 0, 0, 0)];
		if (vm_current->unwind)
			break;
	}
	if (*link) { /* the callback threw: it is in no tree */
		__atomic_store_n(&n->owner, NULL, __ATOMIC_RELEASE);
		return 0;
	}
	n->parent = parent;
	n->child[0] = n->child[1] = NULL;
	*link = n;
	while (n->parent && rank_of(n) > rank_of(n->parent))
		rotate(t, n->parent, n->parent->child[1] == n);
	return 0;
}

CALL(kfunc_rbtree_remove)
{
	struct tree_node *n = call_pointer(b);

	if (__atomic_load_n(&n->owner, __ATOMIC_ACQUIRE) != call_pointer(a))
		return 0;
	tree_take(call_pointer(a), n);
	return call_number(n);
}

CALL(kfunc_rbtree_first)
{
	return call_number(tree_first(call_pointer(a)));
}

CALL(kfunc_rbtree_root)
{
	return call_number(((struct tree *)call_pointer(a))->root);
}

static uint64_t child_of(struct tree *t, struct tree_node *n, unsigned int side)
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
