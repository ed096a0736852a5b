/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists and trees of programs' objects: see graph.h.
 *
 * The tree is a treap: by its order a search tree, by a number that is made of each node's
 * address a heap, which keeps it as flat as a tree of random insertions.  It needs nothing but
 * the three pointers that a node has room for.
 */
#include "runtime/vm/map/graph.h"

#include "runtime/vm/map/owned.h"

#include <errno.h>

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

static void list_init(struct graph_list *head)
{
	if (!head->next)
		head->next = head->prev = head;
}

int graph_list_push(struct graph_list *head, struct graph_list_node *n, bool is_back)
{
	struct graph_list *after;

	list_init(head);
	if (!claim(n, &n->owner, head))
		return -EINVAL;
	after = is_back ? head->prev : head;
	n->list = (struct graph_list){after->next, after};
	after->next->prev = &n->list;
	after->next = &n->list;
	return 0;
}

void *graph_list_end(struct graph_list *head, bool is_back, bool take)
{
	struct graph_list_node *n;

	list_init(head);
	n = (struct graph_list_node *)(is_back ? head->prev : head->next);
	if (&n->list == head)
		return NULL;
	if (take) {
		n->list.prev->next = n->list.next;
		n->list.next->prev = n->list.prev;
		n->list = (struct graph_list){&n->list, &n->list};
		__atomic_store_n(&n->owner, NULL, __ATOMIC_RELEASE);
	}
	return n;
}

/* --- the tree */

static uint64_t rank_of(const struct graph_tree_node *n)
{
	return (uintptr_t)n * 0x9e3779b97f4a7c15ull;
}

static struct graph_tree_node **link_to(struct graph_tree *t, struct graph_tree_node *n)
{
	struct graph_tree_node *p = n->parent;

	return !p ? &t->root : &p->child[p->child[1] == n];
}

/* Bring n's child of this side up to where n is. */
static void rotate(struct graph_tree *t, struct graph_tree_node *n, unsigned int side)
{
	struct graph_tree_node *up = n->child[side], *middle = up->child[!side];

	*link_to(t, n) = up;
	up->parent = n->parent;
	up->child[!side] = n;
	n->parent = up;
	n->child[side] = middle;
	if (middle)
		middle->parent = n;
}

static void take_node(struct graph_tree *t, struct graph_tree_node *n)
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

bool graph_tree_take(struct graph_tree *t, struct graph_tree_node *n)
{
	if (__atomic_load_n(&n->owner, __ATOMIC_ACQUIRE) != t)
		return false;
	take_node(t, n);
	return true;
}

struct graph_tree_node *graph_tree_first(const struct graph_tree *t)
{
	struct graph_tree_node *n = t->root;

	while (n && n->child[0])
		n = n->child[0];
	return n;
}

int graph_tree_add(struct graph_tree *t, struct graph_tree_node *n,
		   int (*less)(void *ctx, struct graph_tree_node *a, struct graph_tree_node *b),
		   void *ctx)
{
	struct graph_tree_node **link = &t->root, *parent = NULL;
	int r;

	if (!claim(n, &n->owner, t))
		return -EINVAL;
	while (*link) {
		parent = *link;
		r = less(ctx, n, parent);
		if (r < 0) {
			__atomic_store_n(&n->owner, NULL, __ATOMIC_RELEASE);
			return r;
		}
		link = &parent->child[!r];
	}
	n->parent = parent;
	n->child[0] = n->child[1] = NULL;
	*link = n;
	while (n->parent && rank_of(n) > rank_of(n->parent))
		rotate(t, n->parent, n->parent->child[1] == n);
	return 0;
}

void *graph_list_pop(void *head)
{
	return graph_list_end(head, false, true);
}

void *graph_tree_pop(void *root)
{
	struct graph_tree_node *n = graph_tree_first(root);

	if (n)
		take_node(root, n);
	return n;
}
