/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts: their forms, and sinks whose other end is slow, gone, moved away or refuses. */
#include "out/alert.h"

#include "base/clock.h"
#include "base/macro.h"
#include "out/alert-queue.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct alert_form text_form = {.as = ALERT_AS_TEXT, .hostname = "box"};
static const struct alert_form json_form = {.as = ALERT_AS_JSON, .hostname = "box"};
static const struct engine_config config = {.plain = true};

/* An alert without an event: 2023-11-14 22:13:20.000000042 UTC. */
static struct alert made(const char *message)
{
	return (struct alert){
		.real_ns = 1700000000ull * NS_PER_S + 42,
		.priority = RULE_WARNING,
		.name = "a rule",
		.message = str_of(message),
		.config = &config,
	};
}

static char *form_text(const struct alert_form *f, const struct alert *a)
{
	struct buf b = {0};

	alert_form_put(f, a, &b);
	return b.p;
}

static char folder[64];

static const char *scratch(const char *name)
{
	static char path[96];

	if (!folder[0]) {
		snprintf(folder, sizeof(folder), "/tmp/test-alert-%d", getpid());
		mkdir(folder, 0700);
	}
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	unlink(path);
	return path;
}

__attribute__((destructor)) static void clean(void)
{
	char command[160];

	if (!folder[0])
		return;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	if (system(command) != 0)
		perror(command);
}

static char *content(const char *path)
{
	struct buf b = {0};
	char part[4096];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	buf_puts(&b, "");
	while (fd >= 0 && (n = read(fd, part, sizeof(part))) > 0)
		buf_add(&b, part, n);
	if (fd >= 0)
		close(fd);
	return b.p;
}

static void check_content(const char *path, const char *expected)
{
	_cleanup_free_ char *is = content(path);

	CHECK_STREQ(is, expected);
}

/* As watch and replay do: a program that ends early is an error of its sink. */
__attribute__((constructor)) static void pipes_are_no_signal(void)
{
	signal(SIGPIPE, SIG_IGN);
}

TEST(text)
{
	struct alert_form colour = {.as = ALERT_AS_TEXT, .has_colour = true};
	struct alert a = made("Shell in a container (user=root)");
	_cleanup_free_ char *plain = NULL, *coloured = NULL, *held = NULL;

	setenv("TZ", "UTC", 1);
	tzset();
	plain = form_text(&text_form, &a);
	CHECK_STREQ(plain, "22:13:20.000000042: Warning Shell in a container (user=root)\n");
	coloured = form_text(&colour, &a);
	CHECK_STREQ(coloured, "22:13:20.000000042: \033[33mWarning\033[0m Shell in a container "
			      "(user=root)\n");
	a.held_back = 7;
	held = form_text(&text_form, &a);
	CHECK_STREQ(held, "22:13:20.000000042: Warning Shell in a container (user=root) "
			  "(7 held back before)\n");
}

TEST(json)
{
	const char *tags[] = {"container", "mitre \"x\""};
	struct rule rule = {.name = "a rule", .source = "syscall"};
	struct alert a = made("quotes \" and \\n");
	_cleanup_free_ char *own = NULL, *of_rule = NULL;
	const struct alert_number numbers[] = {{"lost", 3}};

	setenv("TZ", "UTC", 1);
	tzset();
	rule.tags.p = tags;
	rule.tags.n = 2;
	a.rule = &rule;
	of_rule = form_text(&json_form, &a);
	CHECK_STREQ(
		of_rule,
		"{\"hostname\":\"box\",\"output\":\"22:13:20.000000042: Warning quotes \\\" "
		"and \\\\n\",\"priority\":\"Warning\",\"rule\":\"a rule\",\"source\":\"syscall\","
		"\"tags\":[\"container\",\"mitre \\\"x\\\"\"],"
		"\"time\":\"2023-11-14T22:13:20.000000042Z\","
		"\"output_fields\":{\"evt.time\":1700000000000000042}}\n");
	a = made("m");
	a.numbers = numbers;
	a.n_numbers = 1;
	own = form_text(&json_form, &a);
	CHECK(strstr(own, "\"source\":\"internal\",\"tags\":[],"));
	CHECK(strstr(own, "\"output_fields\":{\"evt.time\":1700000000000000042,\"lost\":3}"));
}

TEST(file)
{
	const char *path = scratch("log");
	struct alert a = made("one"), b = made("two");
	struct alert_sink *s;
	char moved[160];
	struct stat st;
	int r;

	s = alert_file_new(path, &text_form, &r);
	CHECK(s && r == 0);
	CHECK_EQ(s->alert(s, &a), 0);
	CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	check_content(path, "22:13:20.000000042: Warning one\n");
	/* somebody moves it away, and says so */
	snprintf(moved, sizeof(moved), "%s.1", path);
	CHECK_EQ(rename(path, moved), 0);
	s->reopen(s);
	CHECK_EQ(s->alert(s, &b), 0);
	check_content(moved, "22:13:20.000000042: Warning one\n");
	check_content(path, "22:13:20.000000042: Warning two\n");
	s->free(s);
	/* what is there stays */
	s = alert_file_new(path, &text_form, &r);
	CHECK_EQ(s->alert(s, &a), 0);
	check_content(path, "22:13:20.000000042: Warning two\n22:13:20.000000042: Warning one\n");
	s->free(s);
	CHECK(!alert_file_new("/nonexistent/log", &text_form, &r) && r == -ENOENT);
}

TEST(full_disk)
{
	struct alert a = made("one");
	struct alert_sink *s;
	int r;

	if (access("/dev/full", W_OK) < 0) {
		test_skip("no /dev/full");
		return;
	}
	s = alert_file_new("/dev/full", &text_form, &r);
	CHECK_EQ(s->alert(s, &a), 0); /* the run goes on */
	CHECK_EQ(s->lost, 1);
	CHECK(strstr(s->problem, "/dev/full"));
	s->free(s);
}

/* Nobody reads: the queue takes 4 MiB, the rest is counted, and nothing waits. */
TEST(slow_reader)
{
	char *large = malloc(100001);
	uint64_t start = clock_mono_ns();
	struct alert_sink *s;
	struct alert a;
	int ends[2];

	CHECK_EQ(pipe(ends), 0);
	memset(large, 'x', 100000);
	large[100000] = 0;
	a = made(large);
	s = alert_fd_new(ends[1], &text_form, NULL);
	for (int i = 0; i < 100; i++)
		CHECK_EQ(s->alert(s, &a), 0);
	CHECK(s->lost > 50 && s->lost < 62);
	CHECK_EQ(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0); /* others may have it open, too */
	s->finish(s, 50);
	CHECK_EQ(s->lost, 100); /* of the first, a part was written */
	CHECK(clock_mono_ns() - start < 2 * NS_PER_S);
	s->free(s);
	close(ends[0]);
	s = alert_fd_new(ends[1], &text_form, NULL);
	CHECK_EQ(s->alert(s, &a), -EPIPE); /* who has gone wants no more: the run ends */
	s->free(s);
	close(ends[1]);
	free(large);
}

TEST(syslog)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct alert a = made("to the log");
	struct alert_sink *s;
	char got[512];
	ssize_t n;

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", scratch("log.socket"));
	CHECK_EQ(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	s = alert_syslog_new(at.sun_path, &text_form);
	CHECK_EQ(s->alert(s, &a), 0);
	n = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);
	CHECK(n > 0);
	got[MAX(n, 0)] = 0;
	CHECK(!strncmp(got, "<28>", 4)); /* daemon, warning */
	CHECK(strstr(got, " skep["));
	CHECK(strstr(got, "]: 22:13:20.000000042: Warning to the log"));
	CHECK(!strchr(got, '\n'));
	/* nobody takes them any more: they wait, and do not make us wait */
	for (int i = 0; i < 5000; i++)
		s->alert(s, &a);
	CHECK_EQ(s->lost, 0);
	close(fd);
	s->finish(s, 100);
	CHECK(s->lost > 0);
	CHECK(s->problem[0]);
	s->free(s);
}

TEST(program_for_all)
{
	struct alert a = made("one"), b = made("two");
	struct alert_sink *s;
	char command[512];
	const char *path = scratch("fed");

	snprintf(command, sizeof(command), "cat >> %s", path);
	s = alert_program_new(command, false, &text_form);
	CHECK_EQ(s->alert(s, &a), 0);
	CHECK_EQ(s->alert(s, &b), 0);
	s->finish(s, 5000);
	CHECK_EQ(s->lost, 0);
	check_content(path, "22:13:20.000000042: Warning one\n22:13:20.000000042: Warning two\n");
	s->free(s);
}

/* It reads a line and ends, each time: it is started again, and no line is missing. */
TEST(program_that_ends)
{
	struct alert a = made("one"), b = made("two");
	struct alert_sink *s;
	char command[512];
	const char *path = scratch("ends");

	snprintf(command, sizeof(command), "read x; echo \"$x\" >> %s", path);
	s = alert_program_new(command, false, &text_form);
	CHECK_EQ(s->alert(s, &a), 0);
	for (int i = 0; i < 100 && access(path, F_OK) < 0; i++)
		usleep(10000);
	usleep(50000);
	s->flush(s);
	CHECK_EQ(s->alert(s, &b), 0);
	s->finish(s, 5000);
	check_content(path, "22:13:20.000000042: Warning one\n22:13:20.000000042: Warning two\n");
	s->free(s);
}

TEST(program_for_each)
{
	struct alert a = made("one");
	struct alert_sink *s;
	char command[512];
	const char *path = scratch("each");

	snprintf(command, sizeof(command), "cat >> %s; echo end >> %s", path, path);
	s = alert_program_new(command, true, &text_form);
	CHECK_EQ(s->alert(s, &a), 0);
	s->finish(s, 5000);
	CHECK_EQ(s->alert(s, &a), 0);
	s->finish(s, 5000);
	CHECK_EQ(s->lost, 0);
	check_content(path, "22:13:20.000000042: Warning one\nend\n"
			    "22:13:20.000000042: Warning one\nend\n");
	s->free(s);
	s = alert_program_new("exit 3", true, &text_form);
	CHECK_EQ(s->alert(s, &a), 0);
	s->finish(s, 5000);
	CHECK_EQ(s->lost, 1);
	CHECK_STREQ(s->problem, "exit 3: exit status 3");
	s->free(s);
}

/* A server for one connection after another: writes down requests, answers with a status. */
static pid_t serve(int listener, const char *path, int status, int n)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	alarm(20);
	for (int done = 0; done < n;) {
		int c = accept(listener, NULL, NULL);
		struct buf got = {0};
		char part[8192];
		ssize_t r;

		while (c >= 0 && (r = read(c, part, sizeof(part))) > 0) {
			char *body, *length;

			buf_add(&got, part, r);
			body = strstr(got.p, "\r\n\r\n");
			length = strcasestr(got.p, "content-length:");
			if (!body || !length || strlen(body + 4) < strtoul(length + 15, NULL, 10))
				continue;
			int f = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);

			dprintf(f, "%s %s\n", strcasestr(got.p, "application/json") ? "json" : "?",
				body + 4);
			close(f);
			dprintf(c, "HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n", status);
			buf_reset(&got);
			if (++done == n)
				break;
		}
		buf_done(&got);
		close(c);
	}
	_exit(0);
}

static int listen_somewhere(char *ret_url, size_t size)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 8) < 0)
		return -1;
	getsockname(fd, (struct sockaddr *)&at, &n);
	snprintf(ret_url, size, "http://127.0.0.1:%d/alerts", ntohs(at.sin_port));
	return fd;
}

TEST(http)
{
	struct alert a = made("one \"quoted\" \\ back"), b = made("two");
	const char *path = scratch("requests");
	_cleanup_free_ char *got = NULL;
	struct alert_sink *s;
	char url[64];
	pid_t server;
	int fd, r;

	unsetenv("http_proxy");
	fd = listen_somewhere(url, sizeof(url));
	s = alert_http_new(url, &text_form, &r);
	if (!s) {
		test_skip("no curl");
		return;
	}
	server = serve(fd, path, 200, 3);
	s->alert(s, &a);
	s->alert(s, &b);
	s->flush(s);
	s->alert(s, &b);
	s->finish(s, 10000);
	CHECK_EQ(s->lost, 0);
	CHECK_STREQ(s->problem, "");
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	got = content(path);
	CHECK(!strncmp(got, "json {\"hostname\":\"box\"", 22));
	CHECK(strstr(got, "Warning one \\\"quoted\\\" \\\\ back\",\"priority\""));
	CHECK_EQ(strstr(got, "Warning two") != NULL, 1);
	s->free(s);
	/* refused: counted, not sent again */
	server = serve(fd, path, 500, 1);
	s = alert_http_new(url, &text_form, &r);
	s->alert(s, &a);
	s->finish(s, 10000);
	CHECK_EQ(s->lost, 1);
	CHECK_STREQ(s->problem, "the server of http: answers with status 500");
	s->free(s);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	close(fd);
	/* nobody listens: it is tried again as long as there is time */
	s = alert_http_new(url, &text_form, &r);
	s->alert(s, &a);
	s->finish(s, 300);
	CHECK_EQ(s->lost, 1);
	CHECK(strstr(s->problem, "does not answer"));
	s->free(s);
}

TEST(no_curl)
{
	_cleanup_free_ char *path = xstrdup(getenv("PATH") ? getenv("PATH") : "/bin");
	int r;

	setenv("PATH", "/nonexistent", 1);
	CHECK(!alert_http_new("http://localhost/", &text_form, &r));
	CHECK_EQ(r, -ENOENT);
	setenv("PATH", path, 1);
}

TEST(several)
{
	struct alert a = made("one");
	struct alert_sink *sinks[2], *s;
	_cleanup_free_ char *path = xstrdup(scratch("several"));
	int r;

	sinks[0] = alert_file_new("/dev/full", &text_form, &r);
	if (!sinks[0]) {
		test_skip("no /dev/full");
		return;
	}
	sinks[1] = alert_file_new(path, &text_form, &r);
	s = alert_all_new(sinks, 2);
	CHECK_EQ(s->alert(s, &a), 0);
	CHECK_EQ(s->flush(s), 0);
	CHECK_EQ(s->lost, 1);
	CHECK(strstr(s->problem, "/dev/full"));
	check_content(path, "22:13:20.000000042: Warning one\n");
	s->finish(s, 100);
	s->free(s);
}
