/* SPDX-License-Identifier: Apache-2.0 */
/* Lists and trees of programs' objects: for who empties them. */
#pragma once

/* Take a node out: the first; NULL: it is empty. */
void *graph_list_pop(void *head);
void *graph_tree_pop(void *root);
