/* SPDX-License-Identifier: Apache-2.0 */
/* Values by types of an object, which struct a record is, and lines of trace_pipe. */
#include "agent/load-pipe.h"
#include "agent/load-show.h"
#include "isa/btf-write.h"
#include "test.h"

struct made {
	struct btf_writer w;
	struct buf blob;
	struct btf_view v;
	uint32_t u32, s16, ch, boolean;
};

static void begin(struct made *m)
{
	*m = (struct made){0};
	btf_writer_init(&m->w);
	m->u32 = btf_write_int(&m->w, "unsigned int", 4, 0);
	m->s16 = btf_write_int(&m->w, "short", 2, BTF_INT_SIGNED);
	m->ch = btf_write_int(&m->w, "char", 1, BTF_INT_SIGNED);
	m->boolean = btf_write_int(&m->w, "_Bool", 1, BTF_INT_BOOL);
}

static void end(struct made *m)
{
	btf_write_blob(&m->w, &m->blob);
	CHECK_EQ(btf_view_init(&m->v, m->blob.p, m->blob.n), 0);
}

static void done(struct made *m)
{
	btf_view_done(&m->v);
	btf_writer_done(&m->w);
	buf_done(&m->blob);
}

static const char *shown(struct made *m, uint32_t type, const void *p, size_t n, bool json)
{
	static struct buf text;

	buf_reset(&text);
	load_show(&m->v, type, (struct str){p, n}, json, &text);
	return text.p;
}

struct sample {
	uint32_t pid;
	int16_t list[2];
	char comm[7];
	bool is_on;
};

static uint32_t write_sample(struct made *m, const char *name)
{
	uint32_t list = btf_write_array(&m->w, m->s16, m->u32, 2);
	uint32_t comm = btf_write_array(&m->w, m->ch, m->u32, 7);
	uint32_t id = btf_write_struct(&m->w, BTF_KIND_STRUCT, name, sizeof(struct sample), 4);

	btf_write_member(&m->w, "pid", m->u32, 0);
	btf_write_member(&m->w, "list", list, 32);
	btf_write_member(&m->w, "comm", comm, 64);
	btf_write_member(&m->w, "is_on", m->boolean, 120);
	return id;
}

TEST(shows_structs)
{
	const struct sample s = {7, {-1, 300}, "a\"b", true};
	struct made m;
	uint32_t id;

	begin(&m);
	id = write_sample(&m, "event");
	end(&m);
	CHECK_STREQ(shown(&m, id, &s, sizeof(s), false),
		    "{ .pid = 7, .list = [-1,300], .comm = \"a\"b\", .is_on = true }");
	CHECK_STREQ(shown(&m, id, &s, sizeof(s), true),
		    "{\"pid\": 7, \"list\": [-1, 300], \"comm\": \"a\\\"b\", \"is_on\": true}");
	/* fewer bytes than the type has: what is there */
	CHECK_STREQ(shown(&m, id, &s, 6, false), "{ .pid = 7, .list = [-1] }");
	CHECK_STREQ(shown(&m, id, &s, 4, true), "{\"pid\": 7}");
	CHECK_STREQ(shown(&m, 0, "\x01\xff", 2, false), "01 ff");
	CHECK_STREQ(shown(&m, 0, "\x01\xff", 2, true), "\"01ff\"");
	CHECK_STREQ(shown(&m, 99, "\x01", 1, false), "01");
	done(&m);
}

TEST(text_that_fills_its_array)
{
	struct made m;
	uint32_t id;

	begin(&m);
	id = btf_write_array(&m.w, m.ch, m.u32, 3);
	end(&m);
	CHECK_STREQ(shown(&m, id, "abcd", 4, false), "\"abcd\"");
	CHECK_STREQ(shown(&m, id, "\x1b", 1, false), "\"\\e\"");
	done(&m);
}

TEST(which_struct_a_record_is)
{
	struct made m;
	uint32_t event, other, exec;

	begin(&m);
	event = write_sample(&m, "event");
	other = btf_write_struct(&m.w, BTF_KIND_STRUCT, "other", 40, 0);
	exec = btf_write_struct(&m.w, BTF_KIND_STRUCT, "exec_t", 16, 0);
	end(&m);
	CHECK_EQ(load_show_record(&m.v, "events", 16, NULL), event);
	CHECK_EQ(load_show_record(&m.v, "execs", 16, NULL), exec);
	CHECK_EQ(load_show_record(&m.v, "ring", 40, NULL), other);
	CHECK_EQ(load_show_record(&m.v, "ring", 44, NULL), other); /* padded */
	CHECK_EQ(load_show_record(&m.v, "ring", 16, NULL), 0);	   /* two could be it */
	CHECK_EQ(load_show_record(&m.v, "ring", 16, "exec_t"), exec);
	CHECK_EQ(load_show_record(&m.v, "ring", 16, "none"), 0);
	done(&m);
}

TEST(lines_of_printk)
{
	struct load_printk p;

	CHECK(load_printk_parse(STR("           <...>-1234    [001] d..21   123.456789: "
				    "bpf_trace_printk: hello: you"),
				&p));
	CHECK(str_eq(p.comm, STR("<...>")));
	CHECK_EQ(p.pid, 1234);
	CHECK_EQ(p.cpu, 1);
	CHECK(p.seconds > 123.456 && p.seconds < 123.457);
	CHECK(str_eq(p.text, STR("hello: you")));
	CHECK(load_printk_parse(STR("  my-prog 2-77 (     70) [000] d... 1.5: bpf_trace_printk: x"),
				&p));
	CHECK(str_eq(p.comm, STR("my-prog 2")));
	CHECK_EQ(p.pid, 77);
	CHECK(!load_printk_parse(STR("  sh-1 [000] d... 1.5: sched_switch: a"), &p));
	CHECK(!load_printk_parse(STR(": bpf_trace_printk: "), &p));
	CHECK(!load_printk_parse(STR(""), &p));
}
