/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was seen live is seen again: the same bytes, as text and as JSON, from a recording
 * and nobody to ask.  And whatever the records hold, lines stay lines.
 *
 * Makes the seeds of the fuzz target, too: SKEP_CORPUS=FOLDER test-replay seeds
 */
#include "out/out.h"

#include "event/record.h"
#include "event/world.h"
#include "test.h"

#include <fcntl.h>
#include <jansson.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum format { TEXT, COLOUR, JSON, FORMATS };

/* All formats at once, each into memory. */
struct tee {
	struct sink sink;
	struct sink *to[FORMATS];
	int fds[FORMATS];
};

static int tee_event(struct sink *sink, const struct event *e)
{
	struct tee *t = (struct tee *)sink;

	for (int i = 0; i < FORMATS; i++)
		CHECK_EQ(t->to[i]->event(t->to[i], e), 0);
	return 0;
}

static void tee_init(struct tee *t)
{
	t->sink = (struct sink){tee_event, NULL, NULL};
	for (int i = 0; i < FORMATS; i++) {
		t->fds[i] = memfd_create("lines", MFD_CLOEXEC);
		t->to[i] = i == JSON ? sink_json_new(t->fds[i])
				     : sink_text_new(t->fds[i], i == COLOUR);
	}
}

static void tee_done(struct tee *t)
{
	for (int i = 0; i < FORMATS; i++) {
		t->to[i]->free(t->to[i]);
		close(t->fds[i]);
	}
}

#define _cleanup_tee_ _cleanup_(tee_done)

static struct buf read_all(int fd)
{
	struct buf all = {0};
	struct stat st;

	CHECK_EQ(fstat(fd, &st), 0);
	buf_reserve(&all, st.st_size);
	CHECK_EQ(pread(fd, all.p, st.st_size, 0), st.st_size);
	all.n = st.st_size;
	all.p[all.n] = 0;
	return all;
}

static struct buf lines_of(struct tee *t, enum format format)
{
	CHECK_EQ(t->to[format]->flush(t->to[format]), 0);
	return read_all(t->fds[format]);
}

/* Each line ends, and nothing in it does more than stand there. */
static void check_text(struct str all)
{
	size_t wrong = all.n && all.p[all.n - 1] != '\n';

	for (size_t i = 0; i < all.n; i++) {
		unsigned char c = all.p[i];

		wrong += (c < 0x20 && c != '\n') || c == 0x7f;
	}
	CHECK_EQ(wrong, 0);
}

static void check_json(struct str all)
{
	size_t n = 0;

	while (all.n) {
		const char *nl = memchr(all.p, '\n', all.n);
		size_t len = nl ? (size_t)(nl - all.p) : all.n;
		json_error_t error;
		json_t *line = json_loadb(
			all.p, len,
			JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);

		test_result(nl && json_is_object(line), __FILE__, __LINE__, "%s: %.*s",
			    line ? "no line" : error.text, (int)len, all.p);
		if (!nl || !line)
			return;
		CHECK_EQ(json_number_value(json_object_get(line, "v")), JSON_VERSION);
		CHECK(event_find(str_of(json_string_value(json_object_get(line, "event")))));
		json_decref(line);
		all.p += len + 1;
		all.n -= len + 1;
		n++;
	}
	CHECK(n > 0);
}

static int feed(void *ctx, const void *record, size_t n)
{
	return stream_feed(ctx, record, n);
}

/* A live run of so many steps, recorded into memory; returns the recording's descriptor. */
static int run_live(struct tee *t, unsigned int seed, int steps, uint64_t shown)
{
	struct world w = {.seed = seed};
	struct asked asked = {0};
	struct resolver resolver = world_resolver(&asked);
	struct recording_head head = {.boot_to_real_ns = 1700000000ll * NS_PER_S, .shown = shown};
	struct stream_config config = {
		.shown = shown,
		.boot_to_real_ns = head.boot_to_real_ns,
		.resolver = &resolver,
		.sink = &t->sink,
	};
	_cleanup_buf_ struct buf b = {0};
	struct stream *stream;
	char path[32];
	int fd;

	fd = memfd_create("recording", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_EQ(recorder_open(path, &head, &config.recorder), 0);
	stream = stream_new(&config);
	for (int step = 0; step < steps; step++)
		CHECK_EQ(world_step(&w, stream, &b), 0);
	CHECK_EQ(world_finish(&w, stream), 0);
	stream_free(stream);
	CHECK_EQ(recorder_close(config.recorder), 0);
	return fd;
}

static void run_replay(struct tee *t, int fd)
{
	struct stream_config config = {.sink = &t->sink};
	struct recording_head head = {0};
	struct stream *stream;

	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(recording_read_head(fd, &head), 0);
	config.shown = head.shown;
	config.boot_to_real_ns = head.boot_to_real_ns;
	stream = stream_new(&config);
	CHECK_EQ(recording_read(fd, feed, stream), 0);
	stream_free(stream);
}

static void check_seed(unsigned int seed, uint64_t shown)
{
	_cleanup_tee_ struct tee live, again;
	int fd;

	tee_init(&live);
	tee_init(&again);
	fd = run_live(&live, seed, 600, shown);
	run_replay(&again, fd);
	for (int i = 0; i < FORMATS; i++) {
		_cleanup_buf_ struct buf first = lines_of(&live, i), second = lines_of(&again, i);

		CHECK(first.n > 1000);
		test_result(str_eq(buf_str(&first), buf_str(&second)), __FILE__, __LINE__,
			    "seed %u, format %d: not the same", seed, i);
		if (i == TEXT)
			check_text(buf_str(&first));
		if (i == JSON)
			check_json(buf_str(&first));
	}
	close(fd);
}

TEST(same_again)
{
	const char *given = getenv("SKEP_SEED");
	unsigned int seed = given ? strtoul(given, NULL, 0) : (unsigned int)time(NULL);

	printf("# seed %u: SKEP_SEED=%u does it again\n", seed, seed);
	check_seed(seed, events_all());
	for (seed = 1; seed <= 5; seed++)
		check_seed(seed, events_all());
	check_seed(6, events_of_group(GROUP_FILE));
}

/* A few lines in full, so that a change of the look is meant. */
TEST(lines)
{
	static const char text[] =
		"22:30:00.000       5 dash            exec     sh -c $'echo \\'hi\\'' from "
		"/usr/bin/dash  < init 1\n"
		"22:30:00.001       5 dash@anna       write    /run/motd as /etc/motd "
		"O_WRONLY = EACCES  (io_uring)\n"
		"                                    lost     2 events did not fit into the ring "
		"buffer\n"
		"22:30:00.002       5 dash            connect  tcp -> [2001:db8::2]:443\n";
	static const char json[] =
		"{\"v\":1,\"time\":\"2023-11-14T22:30:00.000000000Z\",\"event\":\"exec\","
		"\"args\":[\"sh\",\"-c\",\"echo 'hi'\"],\"process\":{";
	_cleanup_buf_ struct buf b = {0}, all = {0};
	_cleanup_tee_ struct tee t;
	struct stream_config config = {
		.shown = events_all(),
		.boot_to_real_ns = (1700001000ll - 1000) * NS_PER_S,
	};
	struct stream *stream;
	struct wire_proc *p;
	struct wire_file *f;
	struct wire_conn *c;
	struct wire_user *u;

	setenv("TZ", "UTC", 1);
	tee_init(&t);
	config.sink = &t.sink;
	stream = stream_new(&config);
	p = made(&b, WIRE_PROC, 1, 0);
	ADD_STR(&b, wire_proc, exe, "/sbin/init");
	record_end(&b);
	feed(stream, b.p, b.n);
	u = made(&b, WIRE_USER, 0, 0);
	u->head.uid = 1000;
	ADD_STR(&b, wire_user, name, "anna");
	record_end(&b);
	feed(stream, b.p, b.n);
	p = made(&b, EV_EXEC, 5, 0);
	p->ppid = 1;
	p->parent_start_ns = MADE_START(1);
	ADD_STR(&b, wire_proc, exe, "/usr/bin/dash");
	ADD_STR(&b, wire_proc, args, "sh\0-c\0echo 'hi'\0");
	record_end(&b);
	feed(stream, b.p, b.n);
	f = made(&b, EV_WRITE, 5, 1);
	f->head.uid = 1000;
	f->head.ret = -13;
	f->head.flags = WIRE_F_URING;
	f->flags = O_WRONLY;
	ADD_STR(&b, wire_file, file, "/run/motd");
	ADD_STR(&b, wire_file, path, "/etc/motd");
	record_end(&b);
	feed(stream, b.p, b.n);
	c = made(&b, EV_CONNECT, 5, 2);
	c->head.lost = 2;
	c->family = 10;
	c->protocol = 6;
	c->dport = 443;
	memcpy(c->daddr, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2", 16);
	feed(stream, b.p, b.n);
	all = lines_of(&t, TEXT);
	CHECK_STREQ(all.p, text);
	buf_done(&all);
	all = lines_of(&t, JSON);
	test_result(str_starts(buf_str(&all), str_of(json)), __FILE__, __LINE__, "%s", all.p);
	stream_free(stream);
}

static void write_seed(const char *name, unsigned int number, struct str bytes)
{
	const char *folder = getenv("SKEP_CORPUS");
	char path[256];
	int fd;

	CHECK(bytes.n > sizeof(struct recording_head) && bytes.n < 4096);
	if (!folder)
		return;
	snprintf(path, sizeof(path), "%s/%s-%02u", folder, name, number);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	CHECK_EQ(write(fd, bytes.p, bytes.n), bytes.n);
	close(fd);
}

/* For tests/fuzz/corpus/record: short recordings, some of them damaged, and bare records. */
TEST(seeds)
{
	static const unsigned int kinds[] = {EV_EXEC,  EV_EXIT,	  EV_OPEN,  EV_RENAME,
					     EV_CLOSE, EV_SETUID, EV_SETNS, EV_PTRACE};
	_cleanup_buf_ struct buf b = {0};
	struct world w = {.seed = 1};

	for (unsigned int seed = 1; seed <= 8; seed++) {
		_cleanup_buf_ struct buf all = {0};
		_cleanup_tee_ struct tee t;
		int fd;

		tee_init(&t);
		fd = run_live(&t, seed * 77, 2, events_all());
		all = read_all(fd);
		close(fd);
		if (seed % 4 == 0)
			all.n -= 5;
		write_seed("run", seed, buf_str(&all));
	}
	for (size_t i = 0; i < ELEMENTS(kinds); i++) {
		world_event(&w, &b, kinds[i]);
		write_seed("record", kinds[i], buf_str(&b));
	}
	world_container(&(struct asked){0}, BOX, STR("/x"), &b);
	write_seed("record", WIRE_CONTAINER, buf_str(&b));
	made(&b, WIRE_TALLY, 0, 0);
	((struct wire_tally *)b.p)->count.lost[EV_EXEC] = 5;
	write_seed("record", WIRE_TALLY, buf_str(&b));
}
