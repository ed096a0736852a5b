/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists and trees of programs' objects (owned.h), as their kfuncs use them.
 *
 * Heads and nodes are inside the program's own objects and values, as large as the kernel's.
 * Programs hold the lock beside the head, so nothing is locked here.  A node knows which head it
 * is in: adding it twice is refused, and drops the reference that was handed over.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct graph_list {
	struct graph_list *next, *prev; /* a head: NULL until it is used */
};
struct graph_list_node {
	struct graph_list list;
	void *owner; /* the head; NULL: in no list */
};

/* 0, -EINVAL: it is in a list. */
int graph_list_push(struct graph_list *head, struct graph_list_node *n, bool is_back);
/* The first or the last, and out with it if asked; NULL: it is empty. */
void *graph_list_end(struct graph_list *head, bool is_back, bool take);

struct graph_tree_node {
	struct graph_tree_node *parent, *child[2];
	void *owner; /* the root; NULL: in no tree */
};
struct graph_tree {
	struct graph_tree_node *root;
	void *unused;
};

/* `less`: 1, 0, or what stops it.  0, -EINVAL: it is in a tree, or what `less` said. */
int graph_tree_add(struct graph_tree *t, struct graph_tree_node *n,
		   int (*less)(void *ctx, struct graph_tree_node *a, struct graph_tree_node *b),
		   void *ctx);
/* False: it is in another tree, or in none. */
bool graph_tree_take(struct graph_tree *t, struct graph_tree_node *n);
struct graph_tree_node *graph_tree_first(const struct graph_tree *t); /* NULL: it is empty */

/* For who empties them: the first, out of it. */
void *graph_list_pop(void *head);
void *graph_tree_pop(void *root);
