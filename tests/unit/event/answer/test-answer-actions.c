/* SPDX-License-Identifier: Apache-2.0 */
#include "event/answer/ask.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char program[] = "begin { errorf(\"bad\"); }\n"
			      "\tprint(5/$a); }\n"
			      "begin {\n  x }\n";

/* Rows at a place of the program; `at` is where the place's text begins. */
static uint32_t ask_action_at(struct ask *x, enum question_action_kind kind, const char *format,
			      const char *args, const char *from, const char *to)
{
	uint32_t action = ask_action(x, kind, format, args);
	const char *begin = strstr(program, from);

	if (!x->q.diags.sources.n)
		diag_source(&x->q.diags, "stdin", str_of(program));
	x->q.actions.p[action].span =
		(struct span){0, (uint32_t)(begin - program),
			      (uint32_t)(strstr(begin, to) + strlen(to) - program)};
	x->q.actions.p[action].text = format;
	return action;
}

TEST(errorf)
{
	struct ask *x = ask_new(ANSWER_TEXT);
	uint32_t e = ask_action_at(x, QACTION_ERRORF, "bad %d, %s\n", "(s64, str8)", "errorf", ")");
	uint32_t w = ask_action_at(x, QACTION_WARNF, "hm", NULL, "errorf", ")");
	uint32_t f = ask_action_at(x, QACTION_FAIL, "no", NULL, "begin {\n", "}");

	ask_record(x, e, "10 'two'");
	CHECK_STREQ(ask_err(x), "stdin:1:9-22: ERROR: bad 10, two\n");
	CHECK_EQ(answer_errors(x->a), 1);
	ask_record(x, w, NULL);
	CHECK_STREQ(ask_err(x), "stdin:1:9-22: WARNING: hm\n");
	CHECK_EQ(answer_errors(x->a), 1);
	ask_record(x, f, NULL);
	CHECK_STREQ(ask_err(x), "stdin:3-4: ERROR: no\n");
	CHECK_EQ(answer_errors(x->a), 2);
	CHECK_STREQ(ask_out(x), "");
	ask_free(x);
}

/* In a macro: its own place, then where it was called. */
TEST(errorf_in_macro)
{
	struct ask *x = ask_new(ANSWER_TEXT);
	uint32_t e = ask_action_at(x, QACTION_ERRORF, "bad", NULL, "errorf", ")");
	struct span call = {0, 32, 37};

	x->q.actions.p[e].span.file = diag_source_expansion(&x->q.diags, 0, call);
	ask_record(x, e, NULL);
	CHECK_STREQ(ask_err(x), "stdin:1:9-22: ERROR: bad\n"
				"stdin:2:8-13: ERROR: expanded from\n"
				"\tprint(5/$a); }\n"
				"\t      ~~~~~\n");
	ask_free(x);
}

TEST(no_warnings)
{
	struct ask *x = ask_new(ANSWER_TEXT);
	uint32_t e = ask_action_at(x, QACTION_ERRORF, "bad", NULL, "errorf", ")");
	uint32_t w = ask_action_at(x, QACTION_WARNF, "hm", NULL, "errorf", ")");
	uint32_t r = ask_action_at(x, QACTION_RUNTIME_ERROR, "Divide", "(u64)", "5/$a", "a");

	x->o.no_warnings = true;
	ask_record(x, w, NULL);
	ask_record(x, r, "0");
	CHECK_STREQ(ask_err(x), "");
	ask_record(x, e, NULL);
	CHECK_STREQ(ask_err(x), "stdin:1:9-22: ERROR: bad\n");
	ask_free(x);
}

TEST(errorf_json)
{
	struct ask *x = ask_new(ANSWER_JSON);
	uint32_t e = ask_action_at(x, QACTION_ERRORF, "bad\n", NULL, "errorf", ")");
	uint32_t w = ask_action_at(x, QACTION_WARNF, "hm", NULL, "print", ")");

	ask_record(x, e, NULL);
	CHECK_STREQ(ask_out(x),
		    "{\"type\": \"errorf\", \"msg\": \"bad\\n\", \"filename\": \"stdin\", "
		    "\"line\": 1, \"col\": 9}\n");
	ask_record(x, w, NULL);
	CHECK_STREQ(ask_out(x), "{\"type\": \"warnf\", \"msg\": \"hm\", \"filename\": \"stdin\", "
				"\"line\": 2, \"col\": 2}\n");
	CHECK_STREQ(ask_err(x), "");
	ask_free(x);
}

TEST(helper_errors)
{
	static const struct {
		const char *helper;
		int result;
		const char *expected;
	} errors[] = {
		{"probe_read_user", -EFAULT, "Bad address"},
		{"bpf_map_delete_elem", -ENOENT,
		 "Can't delete map element because it does not exist."},
		{"map_lookup_elem", 0, "Can't lookup map element because it does not exist."},
		{"map_update_elem", -E2BIG,
		 "Map full; can't update element. Try increasing max_map_keys config or manually "
		 "setting the max entries in a map declaration e.g. `let @a = hash(5000)`"},
	};

	for (size_t i = 0; i < ELEMENTS(errors); i++) {
		struct ask *x = ask_new(ANSWER_TEXT);
		uint32_t e = ask_action_at(x, QACTION_HELPER_ERROR, errors[i].helper, "(s32)",
					   "5/$a", "a");
		_cleanup_buf_ struct buf expected = {0};
		char result[16];

		snprintf(result, sizeof(result), "%d", errors[i].result);
		ask_record(x, e, result);
		CHECK_EQ(*ask_err(x) == 0, i == 0 || i == 2); /* a zero comes of these */
		answer_free(x->a);
		x->a = NULL;
		x->o.is_verbose_errors = true;
		ask_record(x, e, result);
		buf_printf(&expected,
			   "stdin:2:8-12: WARNING: %s\nAdditional Info - helper: %s, retcode: %d\n"
			   "\tprint(5/$a); }\n\t      ~~~~\n",
			   errors[i].expected, errors[i].helper + (i == 1 ? 4 : 0),
			   errors[i].result);
		CHECK_STREQ(ask_err(x), expected.p);
		ask_free(x);
	}
}

TEST(errors_json)
{
	struct ask *x = ask_new(ANSWER_JSON);
	uint32_t h =
		ask_action_at(x, QACTION_HELPER_ERROR, "probe_read_user", "(s32)", "5/$a", "a");
	uint32_t r = ask_action_at(x, QACTION_RUNTIME_ERROR, "Divide", "(u64)", "5/$a", "a");

	x->o.is_verbose_errors = true;
	ask_record(x, h, "-14");
	CHECK_STREQ(ask_out(x),
		    "{\"type\": \"helper_error\", \"msg\": \"Bad address\", \"helper\": "
		    "\"probe_read_user\", \"retcode\": -14, \"filename\": \"stdin\", \"line\": 2, "
		    "\"col\": 8}\n");
	ask_record(x, r, "0");
	CHECK_STREQ(ask_out(x), "{\"type\": \"runtime_error\", \"msg\": \"Divide\", \"filename\": "
				"\"stdin\", \"line\": 2, \"col\": 8}\n");
	ask_free(x);
}

TEST(exit)
{
	struct ask *x = ask_new(ANSWER_TEXT);
	uint32_t e = ask_action(x, QACTION_EXIT, NULL, "(u8)");

	CHECK_EQ(ask_record(x, e, "7"), 1);
	CHECK_EQ(answer_exit_code(x->a), 7);
	ask_free(x);
}

TEST(join)
{
	struct ask *x = ask_new(ANSWER_TEXT);
	uint32_t j = ask_action(x, QACTION_JOIN, NULL, "([4]str8)");

	x->q.actions.p[j].text = ",";
	ask_record(x, j, "'/bin/echo' 'A' '' 'B'");
	CHECK_STREQ(ask_out(x), "/bin/ech,A\n");
	ask_free(x);
	x = ask_new(ANSWER_JSON);
	j = ask_action(x, QACTION_JOIN, NULL, "([4]str8)");
	ask_record(x, j, "'ls' '-l' '' ''");
	CHECK_STREQ(ask_out(x), "{\"type\": \"join\", \"data\": \"ls -l\"}\n");
	ask_free(x);
}

TEST(join_counted)
{
	struct ask *x = ask_new(ANSWER_TEXT);
	uint32_t j = ask_action(x, QACTION_JOIN, NULL, "(u64, [4]str8)");

	ask_record(x, j, "3 'a' '' 'c' 'stale'");
	CHECK_STREQ(ask_out(x), "a  c\n");
	ask_free(x);
}

TEST(system)
{
	struct ask *x = ask_new(ANSWER_TEXT);
	uint32_t s = ask_action(x, QACTION_SYSTEM, "echo %s; echo err >&2", "(str8)");

	CHECK_EQ(ask_record(x, s, "'ok'"), 0);
	CHECK_STREQ(ask_out(x), "ok\nerr\n\n");
	ask_free(x);
	x = ask_new(ANSWER_JSON);
	s = ask_action(x, QACTION_SYSTEM, "echo a b c", NULL);
	ask_record(x, s, NULL);
	CHECK_STREQ(ask_out(x), "{\"type\": \"syscall\", \"data\": \"a b c\\n\"}\n");
	ask_free(x);
}

TEST(system_is_unsafe)
{
	struct ask *x = ask_new(ANSWER_TEXT);
	uint32_t s = ask_action(x, QACTION_SYSTEM, "echo ok", NULL);

	x->o.is_safe = true;
	CHECK_EQ(ask_record(x, s, NULL), 0);
	CHECK_STREQ(ask_out(x), "");
	CHECK_STREQ(ask_err(x), "ERROR: syscall() not allowed in safe mode. Use '--unsafe'.\n");
	ask_free(x);
}

TEST(cat)
{
	struct ask *x = ask_new(ANSWER_TEXT);
	uint32_t c = ask_action(x, QACTION_CAT, "/proc/%s/ostype", "(str16)");

	x->q.config.max_cat_bytes = 3;
	CHECK_EQ(ask_record(x, c, "'sys/kernel'"), 0);
	CHECK_STREQ(ask_out(x), "Lin");
	CHECK_EQ(ask_record(x, c, "'nowhere'"), 0);
	CHECK_STREQ(ask_out(x), "");
	CHECK_STREQ(ask_err(x), "ERROR: failed to open file '/proc/nowhere/ostype' "
				"(No such file or directory)\n");
	ask_free(x);
}

TEST(time)
{
	struct ask *x = ask_new(ANSWER_JSON);
	uint32_t t = ask_action(x, QACTION_TIME, NULL, NULL);

	x->q.actions.p[t].text = "%%x\n";
	ask_record(x, t, NULL);
	CHECK_STREQ(ask_out(x), "{\"type\": \"time\", \"data\": \"%x\\n\"}\n");
	ask_free(x);
}

TEST(attached)
{
	struct ask *x = ask_new(ANSWER_TEXT);

	ask_out(x);
	answer_attached(x->a, 1);
	CHECK_STREQ(ask_err(x), "Attached 1 probe\n");
	answer_attached(x->a, 2);
	CHECK_STREQ(ask_err(x), "Attached 2 probes\n");
	ask_free(x);
	x = ask_new(ANSWER_JSON);
	ask_out(x);
	answer_attached(x->a, 2);
	CHECK_STREQ(ask_out(x),
		    "{\"type\": \"attached_probes\", \"count\": 2, \"data\": {\"probes\": 2}}\n");
	ask_free(x);
}

static void ask_losses(struct ask *x)
{
	struct span span = {0, 0, 5};

	diag_source(&x->q.diags, "stdin", str_of(program));
	array_push(&x->q.arena, &x->q.losses, ((struct question_loss){QLOSS_MAP, "@x", span}));
	array_push(&x->q.arena, &x->q.losses,
		   ((struct question_loss){QLOSS_STRING, "str()", span}));
	array_push(&x->q.arena, &x->q.losses, ((struct question_loss){QLOSS_READ, "", span}));
	ask_out(x);
}

#define LINE "begin { errorf(\"bad\"); }\n~~~~~\n"

/* What was said is not said again. */
TEST(losses)
{
	struct ask *x = ask_new(ANSWER_TEXT);

	ask_losses(x);
	answer_losses(x->a);
	CHECK_STREQ(ask_err(x), "");
	x->losses[0] = 5;
	answer_losses(x->a);
	CHECK_STREQ(ask_err(x), "Lost 5 events\n");
	x->losses[0] = 7;
	x->losses[1] = 3;
	x->losses[2] = 1;
	x->losses[3] = 2;
	answer_losses(x->a);
	CHECK_STREQ(
		ask_err(x),
		"Lost 2 events\n"
		"stdin:1:1-6: WARNING: Map full; can't update element. Try increasing "
		"max_map_keys config or manually setting the max entries in a map declaration "
		"e.g. `let @a = hash(5000)`\n"
		"Additional Info - helper: map_update_elem, retcode: -7, map: @x, times: 3\n" LINE
		"stdin:1:1-6: WARNING: 1 string was cut: str()\n" LINE
		"stdin:1:1-6: WARNING: 2 reads of memory failed and gave 0\n" LINE);
	ask_free(x);
}

TEST(losses_json)
{
	struct ask *x = ask_new(ANSWER_JSON);

	ask_losses(x);
	x->losses[0] = 5;
	x->losses[1] = 3;
	x->losses[3] = 2;
	answer_losses(x->a);
	CHECK_STREQ(ask_out(x),
		    "{\"type\": \"lost_events\", \"count\": 5, \"data\": {\"events\": 5}}\n"
		    "{\"type\": \"helper_error\", \"msg\": \"Argument list too long\", \"helper\": "
		    "\"map_update_elem\", \"retcode\": -7, \"map\": \"@x\", \"count\": 3, "
		    "\"filename\": \"stdin\", \"line\": 1, \"col\": 1}\n"
		    "{\"type\": \"loss\", \"cause\": \"read\", \"what\": \"\", \"count\": 2, "
		    "\"filename\": \"stdin\", \"line\": 1, \"col\": 1}\n");
	ask_free(x);
}

/* A packet, as a reader of pcap files finds it. */
TEST(skboutput)
{
	struct ask *x = ask_new(ANSWER_TEXT);
	uint32_t s = ask_action(x, QACTION_SKBOUTPUT, NULL, "(u64, buf8)");
	char path[] = "/tmp/test-answer-XXXXXX";
	uint8_t bytes[64] = {};
	uint32_t words[4];
	int fd = mkstemp(path);

	x->q.actions.p[s].text = path;
	x->source.realtime_offset_ns = 5000000000;
	ask_record(x, s, "1000002000 'abc'");
	answer_free(x->a);
	x->a = NULL;
	CHECK_EQ(read(fd, bytes, sizeof(bytes)), 24 + 16 + 3);
	memcpy(words, bytes, 4);
	CHECK_EQ(words[0], 0xa1b2c3d4);
	memcpy(words, bytes + 20, 4);
	CHECK_EQ(words[0], 101);
	memcpy(words, bytes + 24, 16);
	CHECK_EQ(words[0], 6);
	CHECK_EQ(words[1], 2);
	CHECK_EQ(words[2], 3);
	CHECK_EQ(words[3], 3);
	CHECK(!memcmp(bytes + 40, "abc", 3));
	close(fd);
	unlink(path);
	ask_free(x);
}

/* What others chose does not steer a terminal; the script's own format may. */
TEST(terminal)
{
	struct ask *x = ask_new(ANSWER_TEXT);
	uint32_t p = ask_action(x, QACTION_PRINTF, "\033[1m%s|%s|%c\n", "(str32, str8, s64)");
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	char got[256] = "";
	FILE *f;
	int fd;

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0) {
		test_skip("no pseudo terminal");
		return;
	}
	fd = open(ptsname(master), O_RDWR | O_NOCTTY);
	f = fdopen(fd, "w");
	x->o.out = f;
	ask_record(x, p, "'\033]0;t\a\\ g\xc3\xbcn\x1a\x9b' 'a\tb' 27");
	fflush(f);
	CHECK(read(master, got, sizeof(got) - 1) > 0);
	CHECK_STREQ(got, "\033[1m\\e]0;t\\x07\\ g\xc3\xbcn\\x1a\\x9b|a\tb|\\e\r\n");
	answer_free(x->a);
	x->a = NULL;
	fclose(f);
	close(master);
	x->o.out = x->out;
	ask_free(x);
}

TEST(damaged)
{
	struct ask *x = ask_new(ANSWER_TEXT);
	uint32_t p = ask_action(x, QACTION_PRINTF, "%d", "(s64)");
	struct {
		struct wire_answer head;
		int64_t value;
	} record = {.head.action = p, .value = 5};

	ask_out(x);
	CHECK_EQ(answer_record(x->a, &record.head, 4), -EBADMSG);
	CHECK_EQ(answer_record(x->a, &record.head, 15), -EBADMSG);
	CHECK_EQ(answer_record(x->a, &record.head, 16), 0);
	record.head.action = 1;
	CHECK_EQ(answer_record(x->a, &record.head, 16), -EBADMSG);
	CHECK_STREQ(ask_out(x), "5");
	ask_free(x);
}
