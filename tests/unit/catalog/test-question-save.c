/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question as bytes: saved, loaded and saved again it is the same, and no other bytes
 * are taken for one.
 */
#include "catalog/question-save.h"
#include "base/macro.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A struct of the kernel that points to itself, as most do. */
static const struct type *node(struct arena *a)
{
	static const struct type_enumerator words[] = {{"OFF", 0}, {"ON", -1}};
	struct type *t = arena_new(a, struct type), *e = arena_new(a, struct type);
	struct type_member *m = arena_array(a, struct type_member, 4);

	*e = (struct type){.kind = TYPE_ENUM,
			   .size = 4,
			   .align = 4,
			   .is_signed = true,
			   .enumerators = words,
			   .n_enumerators = 2,
			   .is_complete = true};
	m[0] = (struct type_member){.name = "next", .type = type_pointer(a, t, SPACE_KERNEL)};
	m[1] = (struct type_member){.name = "state", .type = e, .offset = 8};
	m[2] = (struct type_member){.name = "bits",
				    .type = type_int(4, false),
				    .offset = 12,
				    .bit_offset = 3,
				    .bits = 5};
	m[3] = (struct type_member){.name = "names", .type = type_array(a, type_string(a, 4), 2)};
	*t = (struct type){.kind = TYPE_STRUCT,
			   .name = "node",
			   .size = 32,
			   .align = 8,
			   .is_btf = true,
			   .btf_id = 77,
			   .members = m,
			   .n_members = 4,
			   .is_complete = true};
	return t;
}

static const struct type *agg(struct arena *a, enum type_kind kind)
{
	struct type *t = arena_copy(a, type_plain(a, kind), sizeof(*t));

	t->agg.min = -10;
	t->agg.max = 100;
	t->agg.step = 10;
	if (kind == TYPE_TSERIES) {
		t->agg.interval_ns = 1000000;
		t->agg.intervals = 20;
		t->agg.agg = TSERIES_MAX;
	}
	return t;
}

static void add_maps(struct question *q)
{
	static const uint64_t init[2] = {5, 6};
	struct arena *a = &q->arena;
	const struct type *parts[] = {type_string(a, 16), type_int(8, true)};
	const struct type *key = type_tuple(a, parts, NULL, 2);
	const struct type *values[] = {node(a), agg(a, TYPE_LHIST), agg(a, TYPE_TSERIES),
				       type_stack(a, TYPE_KSTACK, 9, STACK_PERF)};

	array_push(a, &q->maps,
		   ((struct question_map){.name = "globals",
					  .kind = QMAP_GLOBALS,
					  .type = BPF_MAP_TYPE_ARRAY,
					  .key_size = 4,
					  .value_size = sizeof(init),
					  .max_entries = 1,
					  .init = init}));
	q->globals = 0;
	q->global_cpid = 8;
	for (size_t i = 0; i < ELEMENTS(values); i++)
		array_push(a, &q->maps,
			   ((struct question_map){.name = "@m",
						  .kind = QMAP_NAMED,
						  .type = BPF_MAP_TYPE_HASH,
						  .key_size = key->size + 8,
						  .value_size = values[i]->size,
						  .max_entries = 9,
						  .key = key,
						  .value = values[i],
						  .is_per_cpu = i & 1,
						  .bucket_offset = key->size,
						  .span = {0, 1, 3}}));
}

static void add_prog(struct question *q)
{
	static const struct bpf_insn insns[4] = {{.code = 0x18, .imm = -1}, {.imm = 7}};
	static const struct question_reloc relocs[] = {
		{.kind = QRELOC_MAP_VALUE, .map = 1, .addend = 9},
		{.insn = 3, .kind = QRELOC_KFUNC, .name = "bpf_rcu_read_lock"}};
	static const struct question_line lines[] = {{0, {0, 0, 2}}, {2, {0, 2, 4}}};
	static const struct question_func funcs[] = {{"main", 0, 1, false}, {"each", 2, 4, true}};

	array_push(&q->arena, &q->progs,
		   ((struct question_prog){
			   .name = "prog",
			   .prog_type = BPF_PROG_TYPE_TRACING,
			   .attach_type = BPF_TRACE_RAW_TP,
			   .btf_name = "sched_switch",
			   .is_sleepable = true,
			   .insns = insns,
			   .n_insns = 4,
			   .relocs = relocs,
			   .n_relocs = 2,
			   .lines = lines,
			   .n_lines = 2,
			   .funcs = funcs,
			   .n_funcs = 2,
			   .span = {0, 0, 5},
		   }));
}

static void add_probes(struct question *q)
{
	static const char *const names[] = {"vfs_read", "vfs_write"};
	static const uint64_t cookies[] = {1, UINT64_MAX}, addresses[] = {4096, 5};

	array_push(&q->arena, &q->probes,
		   ((struct question_probe){.name = "kprobe:vfs_*",
					    .attach = QATTACH_KPROBE_MULTI,
					    .targets = names,
					    .cookies = cookies,
					    .n_targets = 2,
					    .pid = -1,
					    .counts_as = 2}));
	array_push(&q->arena, &q->probes,
		   ((struct question_probe){.name = "uprobe:/bin/sh:*",
					    .func = "f",
					    .attach = QATTACH_UPROBE_MULTI,
					    .binary = "/bin/sh",
					    .addresses = addresses,
					    .ref_ctrs = cookies,
					    .n_targets = 2,
					    .period = 99,
					    .is_freq = true,
					    .is_optional = true,
					    .pid = 12}));
}

static void make(struct question *q)
{
	const struct type *args;
	struct arena *a;

	question_init(q);
	a = &q->arena;
	args = type_int(4, true);
	args = type_tuple(a, &args, NULL, 1);
	diag_source(&q->diags, "x.bt", STR("a b\nc d"));
	add_maps(q);
	add_prog(q);
	add_probes(q);
	array_push(
		a, &q->actions,
		((struct question_action){.kind = QACTION_PRINTF, .format = "%d\n", .args = args}));
	array_push(a, &q->actions,
		   ((struct question_action){.kind = QACTION_CLEAR, .map = 1, .span = {0, 1, 2}}));
	array_push(a, &q->losses, ((struct question_loss){QLOSS_MAP, "@m", {0, 1, 3}}));
	array_push(a, &q->formats, "%H:%M");
	array_push(a, &q->strings, "unified");
	array_push(a, &q->facts,
		   ((struct question_fact){.kind = QFACT_MEMBER,
					   .type = "task_struct",
					   .path = "pid",
					   .value = 1264,
					   .size = 4,
					   .is_movable = true}));
	array_push(a, &q->fixes, ((struct question_fix){.insn = 3, .factor = -1}));
	q->config.dummy_ts_map = "@t";
	q->config.missing_probes = MISSING_WARN;
	q->wants_child = true;
	q->n_scratch = 3;
}

/*
 * A new member is a line in question-save.c or question-form.c and another
 * QUESTION_SAVE_VERSION; then its struct's size goes here.
 */
TEST(no_member_is_forgotten)
{
	CHECK_EQ(sizeof(struct question), 496);
	CHECK_EQ(sizeof(struct question_map), 88); /* stripes are never saved */
	CHECK_EQ(sizeof(struct question_reloc), 24);
	CHECK_EQ(sizeof(struct question_line), 16);
	CHECK_EQ(sizeof(struct question_func), 24);
	CHECK_EQ(sizeof(struct question_prog), 112);
	CHECK_EQ(sizeof(struct question_probe), 200);
	CHECK_EQ(sizeof(struct question_action), 56);
	CHECK_EQ(sizeof(struct question_loss), 32);
	CHECK_EQ(sizeof(struct question_fact), 64);
	CHECK_EQ(sizeof(struct question_fix), 20);
	CHECK_EQ(sizeof(struct question_config), 112);
	CHECK_EQ(sizeof(struct source), 40);
	CHECK_EQ(sizeof(struct type), 136);
	CHECK_EQ(sizeof(struct type_member), 40);
	CHECK_EQ(sizeof(struct type_enumerator), 16);
}

TEST(save_load_save_is_the_same)
{
	struct buf one = {0}, two = {0};
	struct question q, again;
	const char *why;

	make(&q);
	question_save(&q, NULL, &one);
	question_init(&again);
	CHECK_EQ(question_load(&again, buf_str(&one), &why), 0);
	question_save(&again, NULL, &two);
	CHECK(str_eq(buf_str(&one), buf_str(&two)));
	CHECK_EQ(again.maps.n, 5);
	CHECK_STREQ(again.maps.p[1].value->members[0].type->of->name, "node");
	CHECK_EQ(again.maps.p[1].value->members[0].type->of->n_members, 0);
	CHECK_EQ(again.maps.p[1].value->members[1].type->enumerators[1].value, -1);
	CHECK_EQ(again.maps.p[2].value->agg.min, -10);
	CHECK_EQ(again.progs.p[0].insns[0].imm, -1);
	CHECK_STREQ(again.progs.p[0].relocs[1].name, "bpf_rcu_read_lock");
	CHECK_STREQ(again.probes.p[0].targets[1], "vfs_write");
	CHECK(again.probes.p[1].ref_ctrs[1] == UINT64_MAX && !again.probes.p[1].cookies);
	CHECK_EQ(again.probes.p[1].pid, 12);
	CHECK_EQ(again.fixes.p[0].factor, -1);
	CHECK(str_eq(again.diags.sources.p[0].text, STR("a b\nc d")));
	question_done(&q);
	question_done(&again);
	buf_done(&one);
	buf_done(&two);
}

TEST(without_source_places_stay)
{
	const struct question_save_options o = {.no_source = true};
	struct question q, again;
	struct buf bytes = {0};
	const char *why;

	make(&q);
	question_save(&q, &o, &bytes);
	question_init(&again);
	CHECK_EQ(question_load(&again, buf_str(&bytes), &why), 0);
	CHECK(str_eq(again.diags.sources.p[0].text, STR("   \n   ")));
	CHECK_EQ(again.losses.p[1].span.end, 3);
	question_done(&q);
	question_done(&again);
	buf_done(&bytes);
}

/* Not one byte may be missing; whatever one byte becomes, nothing breaks. */
TEST(damaged_bytes)
{
	struct question q, again;
	struct buf bytes = {0};
	const char *why = NULL;
	unsigned int taken = 0;

	make(&q);
	question_save(&q, NULL, &bytes);
	for (size_t n = 0; n < bytes.n; n++) {
		char *cut = malloc(n + 1);

		memcpy(cut, bytes.p, n);
		question_init(&again);
		taken += question_load(&again, (struct str){cut, n}, &why) >= 0;
		question_done(&again);
		free(cut);
	}
	CHECK_EQ(taken, 0);
	for (size_t i = 0; i < bytes.n; i++) {
		char old = bytes.p[i];

		bytes.p[i] = (char)(old + 1 + (char)(i % 255));
		question_init(&again);
		question_load(&again, buf_str(&bytes), &why);
		question_done(&again);
		bytes.p[i] = old;
	}
	question_done(&q);
	buf_done(&bytes);
}

/* Loaded with these members and no others: what is said; NULL: it is fine. */
static const char *refusal(enum question_attach kind, unsigned int has)
{
	static const char *const names[] = {"f"};
	static const uint64_t addresses[] = {64};
	struct question q, again;
	struct buf bytes = {0};
	const char *why = NULL;

	make(&q);
	q.probes.n = 0;
	array_push(&q.arena, &q.probes,
		   ((struct question_probe){.name = "x",
					    .attach = kind,
					    .target = has & QN_TARGET ? "t" : NULL,
					    .group = has & QN_GROUP ? "g" : NULL,
					    .binary = has & QN_BINARY ? "/b" : NULL,
					    .addresses = has & QN_ADDRESSES ? addresses : NULL,
					    .targets = has & QN_LIST ? names : NULL,
					    .n_targets = has & (QN_ADDRESSES | QN_LIST) ? 1 : 0,
					    .pid = -1}));
	question_save(&q, NULL, &bytes);
	question_init(&again);
	if (question_load(&again, buf_str(&bytes), &why) >= 0)
		why = NULL;
	question_done(&again);
	question_done(&q);
	buf_done(&bytes);
	return why;
}

/* Each kind is taken with what attach.def says it needs, and not if one thing is missing. */
TEST(what_a_probe_needs)
{
	static const unsigned int members[] = {QN_TARGET, QN_GROUP, QN_BINARY, QN_ADDRESSES,
					       QN_LIST};
	unsigned int refused = 0;

	for (unsigned int k = 0; k < QATTACHES; k++) {
		unsigned int needs = attach_kinds[k].needs;

		CHECK(!refusal(k, needs));
		for (size_t i = 0; i < ELEMENTS(members); i++) {
			if (!(needs & members[i]))
				continue;
			CHECK_STREQ(refusal(k, needs & ~members[i]), "a probe's target");
			refused++;
		}
	}
	CHECK_EQ(refused, 12);
	/* either will do */
	CHECK(!refusal(QATTACH_KPROBE_MULTI, QN_ADDRESSES));
	CHECK(refusal(QATTACHES, 0)); /* there is no such kind */
}

TEST(says_why)
{
	struct question q, again;
	struct buf bytes = {0};
	const char *why;

	make(&q);
	question_save(&q, NULL, &bytes);
	question_init(&again);
	CHECK_EQ(question_load(&again, STR("something else"), &why), -EBADMSG);
	bytes.p[8]++; /* the version, behind the magic */
	CHECK_EQ(question_load(&again, buf_str(&bytes), &why), -ENOTSUP);
	CHECK(strstr(why, "version"));
	bytes.p[8]--;
	bytes.p[9]++;
	CHECK_EQ(question_load(&again, buf_str(&bytes), &why), -ENOTSUP);
	CHECK(strstr(why, "processor"));
	question_done(&again);
	question_done(&q);
	buf_done(&bytes);
}
