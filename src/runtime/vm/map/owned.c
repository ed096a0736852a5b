/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of bpf_obj_new(), and what becomes of fields: see owned.h. */
#include "runtime/vm/map/owned.h"

#include "runtime/vm/map/field.h"
#include "runtime/vm/map/graph.h"
#include "runtime/vm/map/room.h"
#include "runtime/vm/map/timer.h"

#include <string.h>
#include <sys/mman.h>

enum { CHUNK = 64 << 10, OBJECT_MAX = 4096, ALIGN = 16 };

struct owned_chunk {
	struct owned_type *type;
	struct owned_chunk *next;
};

struct owned_type {
	struct owned_type *next;
	uint32_t id, size, step, n_fields;
	const struct vm_field *fields;
	int64_t refcount; /* where it is; −1: none */
	uint32_t lock;
	void *free; /* objects; the link is in the ALIGN bytes before each */
	struct owned_chunk *chunks;
};

static struct owned_chunk *chunk_of(const void *p)
{
	return (struct owned_chunk *)((uintptr_t)p & ~(uintptr_t)(CHUNK - 1));
}

static char *first_of(struct owned_chunk *c)
{
	return (char *)c + 2 * ALIGN + ALIGN;
}

/* The object that `p` lies in. */
static void *start_of(void *p)
{
	struct owned_chunk *c = chunk_of(p);
	size_t i = (size_t)((char *)p - first_of(c)) / c->type->step;

	return first_of(c) + i * c->type->step;
}

static void **link_of(void *object)
{
	return (void **)((char *)object - ALIGN);
}

/* Types are found once: the object's BTF is for one thread at a time. */
static struct owned_type *type_of(struct vm_object *o, uint32_t id)
{
	struct owned_type *t;
	uint64_t size;

	for (t = o->owned; t; t = t->next)
		if (t->id == id)
			return t;
	size = o->has_btf ? btf_size(&o->btf, id) : 0;
	if (!size || size > OBJECT_MAX)
		return NULL;
	t = arena_new(&o->arena, struct owned_type);
	t->id = id;
	t->size = (uint32_t)size;
	t->step = ALIGN + (((uint32_t)size + ALIGN - 1) & ~(uint32_t)(ALIGN - 1));
	t->refcount = -1;
	if (fields_find(&o->btf, id, &o->arena, &t->fields, &t->n_fields) < 0)
		return NULL;
	for (uint32_t i = 0; i < t->n_fields; i++)
		if (t->fields[i].kind == FIELD_REFCOUNT)
			t->refcount = t->fields[i].offset;
	t->next = o->owned;
	return o->owned = t;
}

static bool add_chunk(struct owned_type *t)
{
	char *p = mmap(NULL, 2 * CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct owned_chunk *c;

	if (p == MAP_FAILED)
		return false;
	c = chunk_of(p + CHUNK - 1);
	if ((char *)c > p)
		munmap(p, (size_t)((char *)c - p));
	if ((char *)c + CHUNK < p + 2 * CHUNK)
		munmap((char *)c + CHUNK, (size_t)(p + CHUNK - (char *)c));
	*c = (struct owned_chunk){.type = t, .next = t->chunks};
	t->chunks = c;
	for (char *object = first_of(c); object + t->size <= (char *)c + CHUNK; object += t->step) {
		*link_of(object) = t->free;
		t->free = object;
	}
	return true;
}

void *owned_new(const struct vm_object *o, uint32_t id)
{
	struct vm_object *x = (struct vm_object *)(uintptr_t)o; /* its memory of types */
	struct owned_type *t;
	void *object = NULL;

	lock_take(&x->owned_lock);
	t = type_of(x, id);
	lock_give(&x->owned_lock);
	if (!t)
		return NULL;
	lock_take(&t->lock);
	if (t->free || add_chunk(t)) {
		object = t->free;
		t->free = *link_of(object);
	}
	lock_give(&t->lock);
	if (!object)
		return NULL;
	memset(object, 0, t->size);
	if (t->refcount >= 0)
		*(uint32_t *)((char *)object + t->refcount) = 1;
	return object;
}

void owned_drop(void *p)
{
	void *object = start_of(p);
	struct owned_type *t = chunk_of(p)->type;

	if (t->refcount >= 0 &&
	    __atomic_sub_fetch((uint32_t *)((char *)object + t->refcount), 1, __ATOMIC_ACQ_REL))
		return;
	for (uint32_t i = 0; i < t->n_fields; i++)
		owned_field_free(&t->fields[i], (char *)object + t->fields[i].offset);
	lock_take(&t->lock);
	*link_of(object) = t->free;
	t->free = object;
	lock_give(&t->lock);
}

void *owned_acquire(void *p)
{
	struct owned_type *t = chunk_of(p)->type;
	uint32_t *count = (uint32_t *)((char *)start_of(p) + t->refcount), n;

	if (t->refcount < 0)
		return NULL;
	n = __atomic_load_n(count, __ATOMIC_RELAXED);
	while (n)
		if (__atomic_compare_exchange_n(count, &n, n + 1, true, __ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED))
			return p;
	return NULL;
}

void owned_done(struct vm_object *o)
{
	for (struct owned_type *t = o->owned; t; t = t->next)
		for (struct owned_chunk *c = t->chunks, *next; c; c = next) {
			next = c->next;
			munmap(c, CHUNK);
		}
	o->owned = NULL;
}

void owned_field_free(const struct vm_field *f, void *field)
{
	uint64_t old;
	void *node;

	switch (f->kind) {
	case FIELD_KPTR:
		/* numbers that stand for things of the kernel's have the top bit set */
		old = __atomic_exchange_n((uint64_t *)field, 0, __ATOMIC_ACQ_REL);
		if (old && !(old >> 63))
			owned_drop((void *)(uintptr_t)old);
		break;
	case FIELD_KPTR_UNTRUSTED:
	case FIELD_KPTR_PERCPU:
		__atomic_store_n((uint64_t *)field, 0, __ATOMIC_RELEASE);
		break;
	case FIELD_LIST_HEAD:
		while ((node = graph_list_pop(field)))
			owned_drop((char *)node - f->node);
		break;
	case FIELD_RB_ROOT:
		while ((node = graph_tree_pop(field)))
			owned_drop((char *)node - f->node);
		break;
	case FIELD_TIMER:
	case FIELD_WORKQUEUE:
		timer_forget(field);
		break;
	case FIELD_TASK_WORK:
	case FIELD_SPIN_LOCK:
	case FIELD_RES_SPIN_LOCK:
	case FIELD_LIST_NODE:
	case FIELD_RB_NODE:
	case FIELD_REFCOUNT:
	case FIELD_COUNT:
		break;
	}
}
