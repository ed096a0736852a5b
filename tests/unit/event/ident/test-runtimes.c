/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state files of tests/data/runtimes: one small root folder a runtime, with ids
 * that are easy to tell apart (a1a1…, b2b2…).
 */
#include "event/ident/runtimes.h"

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef TEST_DATA
#define TEST_DATA "tests/data"
#endif

#define TWICE(s) s s
#define ID(s)	 TWICE(TWICE(TWICE(TWICE(TWICE(s)))))
#define A	 ID("a1")
#define B	 ID("b2")
#define C	 ID("c3")
#define D	 ID("d4")
#define E	 ID("e5")
#define F	 ID("f6")
#define POD	 "7c9e6679-7425-40de-944b-e07fc1f90ae7"
#define POD_	 "7c9e6679_7425_40de_944b_e07fc1f90ae7"
#define POD64	 "0cbdb42f2b4c1111111111111111111111111111111111111111111111111111"
#define STATIC	 "5a1f4c2e9d8b7a605a1f4c2e9d8b7a60"

#define _cleanup_runtimes_ _cleanup_(cleanup_runtimes)

static void cleanup_runtimes(struct runtimes **r)
{
	runtimes_free(*r);
}

static struct runtimes *open_root(const char *name)
{
	_cleanup_buf_ struct buf root = {0};

	buf_printf(&root, TEST_DATA "/runtimes/%s", name);
	return runtimes_new(root.p);
}

static bool is_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* What is expected of a container in tests/data; NULL is "not known". */
static const struct sample {
	const char *root, *path;
	enum container_runtime runtime;
	const char *id, *name, *image, *pod_namespace, *pod_name, *pod_uid;
	bool is_sandbox;
	const char *key, *value; /* one of its labels */
	size_t n_labels;
} samples[] = {
	/* clang-format off */
	{.root = "docker", .path = "/docker/" A, .runtime = RUNTIME_DOCKER, .id = A,
	 .name = "cart", .image = "shop/cart:1.2", .key = "team", .value = "shop", .n_labels = 3},
	{.root = "docker", .path = "/system.slice/docker-" A ".scope/x",
	 .runtime = RUNTIME_DOCKER, .id = A, .name = "cart", .image = "shop/cart:1.2",
	 .key = "note", .value = "ümlaut", .n_labels = 3},
	{.root = "docker", .path = "/kubepods/burstable/pod" POD "/" B, .runtime = RUNTIME_DOCKER,
	 .id = B, .name = "api", .image = "sha256:" TWICE(ID("8")), .pod_namespace = "shop",
	 .pod_name = "pay-7d9c", .pod_uid = POD, .n_labels = 6},
	{.root = "docker", .path = "/kubepods/burstable/pod" POD "/" C, .runtime = RUNTIME_DOCKER,
	 .id = C, .name = "POD", .image = "pause:3.9", .pod_namespace = "shop",
	 .pod_name = "pay-7d9c", .pod_uid = POD, .is_sandbox = true,
	 .key = "io.kubernetes.docker.type", .value = "podsandbox", .n_labels = 1},
	{.root = "docker", .path = "/ecs/task/" E, .runtime = RUNTIME_DOCKER, .id = E,
	 .name = "elsewhere", .image = "registry.example:5000/a/b@sha256:" TWICE(ID("7"))},
	{.root = "podman", .path = "/libpod_parent/libpod-" A, .runtime = RUNTIME_PODMAN, .id = A,
	 .name = "web", .image = "docker.io/library/nginx:1.25", .key = "team", .value = "shop",
	 .n_labels = 1},
	{.root = "podman", .path = "/libpod_parent/" POD64 "/libpod-" C,
	 .runtime = RUNTIME_PODMAN, .id = C, .name = "cart", .image = "localhost/cart:2",
	 .pod_name = "shop", .pod_uid = POD64},
	{.root = "podman", .path = "/libpod_parent/" POD64 "/libpod-" B,
	 .runtime = RUNTIME_PODMAN, .id = B, .name = "0cbdb42f2b4c-infra",
	 .image = "localhost/podman-pause:4.3.1-0", .pod_name = "shop", .pod_uid = POD64,
	 .is_sandbox = true},
	{.root = "podman", .path = "/machine.slice/libpod-" D ".scope", .runtime = RUNTIME_PODMAN,
	 .id = D, .name = "moved", .image = "localhost/db:1"},
	{.root = "podman", .path = "/user.slice/libpod-" E ".scope/container",
	 .runtime = RUNTIME_PODMAN, .id = E, .name = "mine",
	 .image = "docker.io/library/redis:7"},
	{.root = "crio", .path = "/kubepods.slice/kubepods-pod" POD_ ".slice/crio-" A ".scope",
	 .runtime = RUNTIME_CRIO, .id = A, .name = "api", .image = "quay.io/shop/api:3",
	 .pod_namespace = "shop", .pod_name = "pay-7d9c", .pod_uid = POD, .key = "app",
	 .value = "pay", .n_labels = 6},
	{.root = "crio", .path = "/kubepods/pod" POD "/crio-" B, .runtime = RUNTIME_CRIO, .id = B,
	 .name = "POD", .pod_namespace = "shop", .pod_name = "pay-7d9c", .pod_uid = POD,
	 .is_sandbox = true, .n_labels = 4},
	{.root = "crio", .path = "/kubepods/pod" POD "/crio-" C, .runtime = RUNTIME_CRIO, .id = C,
	 .name = "side", .image = "quay.io/shop/side:1", .pod_namespace = "shop",
	 .pod_name = "pay-7d9c", .pod_uid = POD},
	{.root = "containerd", .path = "/kubepods/pod" POD "/" A, .runtime = RUNTIME_CONTAINERD,
	 .id = A, .name = "api", .image = "registry.example/shop/api:3", .pod_namespace = "shop",
	 .pod_name = "pay-7d9c", .pod_uid = POD},
	{.root = "containerd", .path = "/kubepods-pod" POD_ ".slice:cri-containerd:" B,
	 .runtime = RUNTIME_CONTAINERD, .id = B, .pod_namespace = "shop", .pod_name = "pay-7d9c",
	 .pod_uid = POD, .is_sandbox = true},
	{.root = "containerd", .path = "/default/" C, .runtime = RUNTIME_CONTAINERD, .id = C,
	 .name = "queue", .key = "team", .value = "ops", .n_labels = 1},
	{.root = "containerd", .path = "/custom/" D, .runtime = RUNTIME_DOCKER, .id = D},
	{.root = "runc", .path = "/system.slice/runc-plain1.scope", .runtime = RUNTIME_RUNC,
	 .id = "plain1", .name = "plain1", .key = "team", .value = "shop", .n_labels = 1},
	{.root = "runc", .path = "/user.slice/crun-job.scope", .runtime = RUNTIME_CRUN,
	 .id = "job", .name = "job", .key = "kind", .value = "batch", .n_labels = 1},
	{.root = "runc", .path = "/x/libpod-" A, .runtime = RUNTIME_PODMAN, .id = A,
	 .name = "deep", .image = "localhost/deep:1"},
	{.root = "kubelet", .path = "/kubepods/pod" POD "/" A, .runtime = RUNTIME_KUBERNETES,
	 .id = A, .name = "api", .pod_namespace = "shop", .pod_name = "pay-7d9c", .pod_uid = POD},
	{.root = "kubelet", .path = "/kubepods/pod" STATIC "/crio-" B, .runtime = RUNTIME_CRIO,
	 .id = B, .pod_namespace = "kube-system", .pod_name = "etcd-node1", .pod_uid = STATIC},
	{.root = "machines", .path = "/lxc.payload.web/init.scope", .runtime = RUNTIME_LXC,
	 .id = "web", .name = "web"},
	{.root = "machines", .path = "/machine.slice/machine-web\\x2dshop.scope",
	 .runtime = RUNTIME_NSPAWN, .id = "web-shop", .name = "web-shop"},
	{.root = "machines", .path = "/buildah-buildah7", .runtime = RUNTIME_BUILDAH,
	 .id = "buildah-buildah7", .name = "buildah-buildah7"},
	/* clang-format on */
};

static void check_info(const struct sample *s, const struct container_info *info)
{
	test_result(info->runtime == s->runtime && is_text(info->id, s->id), __FILE__, __LINE__,
		    "%s: %s %s", s->path, container_runtime_name(info->runtime), info->id);
	test_result(is_text(info->name, s->name) && is_text(info->image, s->image), __FILE__,
		    __LINE__, "%s: name %s, image %s", s->path, info->name, info->image);
	test_result(is_text(info->pod_namespace, s->pod_namespace) &&
			    is_text(info->pod_name, s->pod_name) &&
			    is_text(info->pod_uid, s->pod_uid),
		    __FILE__, __LINE__, "%s: pod %s/%s %s", s->path, info->pod_namespace,
		    info->pod_name, info->pod_uid);
	test_result(info->is_sandbox == s->is_sandbox, __FILE__, __LINE__, "%s: sandbox", s->path);
	test_result(info->n_labels == s->n_labels, __FILE__, __LINE__, "%s: %zu labels", s->path,
		    info->n_labels);
	if (s->key)
		CHECK_STREQ(container_info_label(info, s->key), s->value);
}

TEST(runtimes_lookup)
{
	for (size_t i = 0; i < ELEMENTS(samples); i++) {
		_cleanup_container_ struct container_info info = {0};
		_cleanup_runtimes_ struct runtimes *r = open_root(samples[i].root);
		struct container_ref ref;

		CHECK(container_of_cgroup(str_of(samples[i].path), &ref));
		test_result(!runtimes_lookup(r, &ref, &info), __FILE__, __LINE__, "%s",
			    samples[i].path);
		check_info(&samples[i], &info);
	}
}

TEST(runtimes_lookup_unknown)
{
	static const char *const paths[] = {
		"/docker/" F,		       /* nobody knows it */
		"/docker/" D,		       /* broken file */
		"/system.slice/runc-..scope",  /* an id that is no file name */
		"/system.slice/runc-...scope", /* the folder above */
		"/kubepods/pod" STATIC "/" F,
	};
	_cleanup_runtimes_ struct runtimes *r = open_root("docker");

	for (size_t i = 0; i < ELEMENTS(paths); i++) {
		struct container_info info = {.n_labels = 99};
		struct container_ref ref;

		CHECK(container_of_cgroup(str_of(paths[i]), &ref));
		CHECK_EQ(runtimes_lookup(r, &ref, &info), -ENOENT);
		CHECK_EQ(info.n_labels, 99); /* untouched */
	}
}

TEST(runtimes_root_missing)
{
	_cleanup_runtimes_ struct runtimes *r = open_root("nothing/here");
	struct container_info info;
	struct container_ref ref;
	char **names = runtimes_names(r);
	size_t n;

	CHECK(container_of_cgroup(STR("/docker/" A), &ref));
	CHECK_EQ(runtimes_lookup(r, &ref, &info), -ENOENT);
	CHECK_EQ(runtimes_find_cgroup(r, STR("/a"), &n, &info), -ENOENT);
	CHECK_EQ(runtimes_resolve(r, "a", &info), -ENOENT);
	CHECK(names && !names[0]);
	runtimes_names_free(names);
}

TEST(runtimes_find_cgroup)
{
	static const struct {
		const char *root, *path, *id; /* id NULL: no container's */
		size_t n;
		enum container_runtime runtime;
	} cases[] = {
		{"runc", "/plain1", "plain1", 7, RUNTIME_RUNC},
		{"runc", "/plain1/init.scope", "plain1", 7, RUNTIME_RUNC},
		{"runc", "/plain1/inner/x", "inner", 13, RUNTIME_RUNC}, /* the nearer one */
		{"runc", "/plain12", NULL, 0, 0},
		{"runc", "/plain", NULL, 0, 0},
		{"runc", "/", NULL, 0, 0},
		{"runc", "", NULL, 0, 0},
		{"runc", "/v1/old", "old", 7, RUNTIME_RUNC},
		{"runc", "/jobs/job", "job", 9, RUNTIME_CRUN},
		{"runc", "/x/libpod-" A, A, 74, RUNTIME_PODMAN},
		{"containerd", "/default/job1/sub", "job1", 13, RUNTIME_CONTAINERD},
		{"docker", "/plain1", NULL, 0, 0},
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_runtimes_ struct runtimes *r = open_root(cases[i].root);

		for (int again = 0; again < 2; again++) {
			_cleanup_container_ struct container_info info = {0};
			size_t n = 0;
			int e = runtimes_find_cgroup(r, str_of(cases[i].path), &n, &info);

			test_result(e == (cases[i].id ? 0 : -ENOENT), __FILE__, __LINE__, "%s: %d",
				    cases[i].path, e);
			CHECK_EQ(n, cases[i].n);
			CHECK(is_text(info.id, cases[i].id));
			CHECK_EQ(info.runtime, cases[i].runtime);
		}
	}
}

TEST(runtimes_resolve)
{
	static const struct {
		const char *root, *wanted, *id;
		int result;
	} cases[] = {
		{"docker", "cart", A, 0},
		{"docker", A, A, 0},
		{"docker", "a1", A, 0},
		{"docker", "a1a1a1a1a1a1", A, 0},
		{"docker", "elsewhere", E, 0},
		{"docker", "car", NULL, -ENOENT},
		{"docker", "", NULL, -ENOENT},
		{"docker", "api", B, 0},
		{"docker", "pay-7d9c/api", B, 0},
		{"docker", "shop/pay-7d9c/api", B, 0},
		{"docker", "other/pay-7d9c/api", NULL, -ENOENT},
		{"podman", "web", A, 0}, /* the user's own stands back */
		{"podman", "mine", E, 0},
		{"podman", "f6", F, 0},
		{"podman", "moved", D, 0},
		{"crio", "pay-7d9c/api", A, 0},
		{"crio", "side", C, 0},
		{"containerd", "queue", C, 0},
		{"containerd", "job1", "job1", 0},
		{"containerd", "job", NULL, -ENOENT},
		{"runc", "plain1", "plain1", 0},
		{"runc", "job", "job", 0},
		{"runc", "deep", A, 0},
		{"machines", "web", "web", 0},
		{"machines", "web-shop", "web-shop", 0},
		{"machines", "vm1", NULL, -ENOENT},
		{"machines", "notes", NULL, -ENOENT},
		{"several", "twin", NULL, -EEXIST},
		{"several", "a", NULL, -EEXIST},
		{"several", "a1a1", A, 0},
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_container_ struct container_info info = {0};
		_cleanup_runtimes_ struct runtimes *r = open_root(cases[i].root);

		test_result(runtimes_resolve(r, cases[i].wanted, &info) == cases[i].result,
			    __FILE__, __LINE__, "%s: %s", cases[i].root, cases[i].wanted);
		test_result(is_text(info.id, cases[i].id), __FILE__, __LINE__, "%s: %s is %s",
			    cases[i].root, cases[i].wanted, info.id);
	}
}

/* A list tells little; resolving looks into the container's own files as well. */
TEST(runtimes_resolve_tells_all)
{
	_cleanup_container_ struct container_info info = {0};
	_cleanup_runtimes_ struct runtimes *r = open_root("podman");

	CHECK_EQ(runtimes_resolve(r, "cart", &info), 0);
	CHECK_EQ(info.runtime, RUNTIME_PODMAN);
	CHECK_STREQ(info.pod_name, "shop");
	CHECK_STREQ(info.image, "localhost/cart:2");
}

TEST(runtimes_names)
{
	static const char *const expected[] = {"POD", "api", "cart", "elsewhere"};
	_cleanup_runtimes_ struct runtimes *r = open_root("docker");
	char **names = runtimes_names(r);
	size_t n = 0;

	for (; names[n]; n++)
		CHECK_STREQ(names[n], n < ELEMENTS(expected) ? expected[n] : NULL);
	CHECK_EQ(n, ELEMENTS(expected));
	CHECK_STREQ(str_nearest("crat", (const char *const *)names), "cart");
	runtimes_names_free(names);
}

TEST(runtimes_storage_from_environment)
{
	_cleanup_container_ struct container_info info = {0};
	_cleanup_runtimes_ struct runtimes *r = NULL;

	setenv("SKEP_CONTAINER_STORAGE", "/nowhere::relative:/opt/private:", 1);
	r = open_root("podman");
	unsetenv("SKEP_CONTAINER_STORAGE");
	CHECK_EQ(runtimes_resolve(r, "secret", &info), 0);
	CHECK_STREQ(info.image, "localhost/secret:1");
}

/* A root folder for one test, filled with odd files. */
struct scratch {
	char root[64];
};

static void scratch_init(struct scratch *s)
{
	snprintf(s->root, sizeof(s->root), "/tmp/skep-test-XXXXXX");
	CHECK(mkdtemp(s->root) != NULL);
}

static void scratch_path(const struct scratch *s, char *path, size_t n, const char *name)
{
	snprintf(path, n, "%s%s", s->root, name);
	for (char *p = path + 1; *p; p++)
		if (*p == '/') {
			*p = 0;
			mkdir(path, 0700);
			*p = '/';
		}
}

static void scratch_put(const struct scratch *s, const char *name, struct str text)
{
	char path[512];
	FILE *f;

	scratch_path(s, path, sizeof(path), name);
	f = fopen(path, "w");
	CHECK(f != NULL);
	if (f) {
		CHECK_EQ(fwrite(text.p, 1, text.n, f), text.n);
		fclose(f);
	}
}

static void scratch_done(struct scratch *s)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", s->root);
	CHECK_EQ(system(command), 0);
}

#define CONFIG "/var/lib/docker/containers/" A "/config.v2.json"
#define COPY   "/var/lib/docker/containers/" B "/config.v2.json"

static int lookup_in(const char *root, const char *cgroup)
{
	_cleanup_container_ struct container_info info = {0};
	_cleanup_runtimes_ struct runtimes *r = runtimes_new(root);
	struct container_ref ref;

	CHECK(container_of_cgroup(str_of(cgroup), &ref));
	return runtimes_lookup(r, &ref, &info);
}

#define STATE(id, cgroup)                                                                     \
	STR("{\"id\":\"" id "\",\"config\":{},\"cgroup_paths\":{\"\":\"/sys/fs/cgroup" cgroup \
	    "\"}}")

/* Neither a link, a pipe, a folder nor a huge file is read, and none of them hangs. */
TEST(runtimes_odd_files)
{
	_cleanup_(scratch_done) struct scratch s;
	_cleanup_buf_ struct buf huge = {0};
	char path[512], to[512];

	scratch_init(&s);
	scratch_put(&s, CONFIG, STR("{\"ID\": \"" A "\"}"));
	CHECK_EQ(lookup_in(s.root, "/docker/" A), 0);

	scratch_path(&s, to, sizeof(to), CONFIG);
	scratch_path(&s, path, sizeof(path), COPY);
	CHECK_EQ(symlink(to, path), 0);
	CHECK_EQ(lookup_in(s.root, "/docker/" B), -ENOENT);

	scratch_path(&s, path, sizeof(path), "/var/lib/docker/containers/" C "/config.v2.json");
	CHECK_EQ(mkfifo(path, 0600), 0);
	CHECK_EQ(lookup_in(s.root, "/docker/" C), -ENOENT);

	scratch_path(&s, path, sizeof(path), "/var/lib/docker/containers/" D "/config.v2.json/x");
	CHECK_EQ(lookup_in(s.root, "/docker/" D), -ENOENT);

	buf_puts(&huge, "{\"ID\": \"" E "\"");
	for (size_t i = huge.n; i < (4 << 20) - 1; i++)
		buf_putc(&huge, ' ');
	buf_putc(&huge, '}');
	scratch_put(&s, "/var/lib/docker/containers/" E "/config.v2.json", buf_str(&huge));
	CHECK_EQ(huge.n, 4 << 20);
	CHECK_EQ(lookup_in(s.root, "/docker/" E), 0);
	buf_putc(&huge, '\n');
	scratch_put(&s, "/var/lib/docker/containers/" E "/config.v2.json", buf_str(&huge));
	CHECK_EQ(lookup_in(s.root, "/docker/" E), -ENOENT);
}

/* An id that would lead out of its folder leads nowhere. */
TEST(runtimes_odd_ids)
{
	_cleanup_(scratch_done) struct scratch s;

	scratch_init(&s);
	scratch_put(&s, "/run/runc/state.json", STATE("here", "/here"));
	scratch_put(&s, "/run/state.json", STATE("above", "/above"));
	CHECK_EQ(lookup_in(s.root, "/system.slice/runc-..scope"), -ENOENT);
	CHECK_EQ(lookup_in(s.root, "/system.slice/runc-...scope"), -ENOENT);
	CHECK_EQ(lookup_in(s.root, "/system.slice/runc-\\x2e\\x2e\\x2fcrun.scope"), -ENOENT);
}

/* Of containers in containers, the nearest. */
TEST(runtimes_find_cgroup_nearest)
{
	static const char *const cgroups[] = {"/n", "/n/n", "/n/n/n", "/n/n/n/n", "/n/n/n/n/n"};
	_cleanup_runtimes_ struct runtimes *r = NULL;
	_cleanup_(scratch_done) struct scratch s;

	scratch_init(&s);
	r = runtimes_new(s.root);
	for (size_t i = 0; i < ELEMENTS(cgroups); i++) {
		_cleanup_buf_ struct buf name = {0}, text = {0};

		buf_printf(&name, "/run/crun/%zu/status", i);
		buf_printf(&text, "{\"cgroup-path\":\"%s\",\"bundle\":\"/b\"}", cgroups[i]);
		scratch_put(&s, name.p, buf_str(&text));
	}
	for (size_t i = 0; i < ELEMENTS(cgroups); i++) {
		_cleanup_container_ struct container_info info = {0};
		char id[4];
		size_t n = 0;

		snprintf(id, sizeof(id), "%zu", i);
		CHECK_EQ(runtimes_find_cgroup(r, str_of(cgroups[i]), &n, &info), 0);
		CHECK_STREQ(info.id, id);
		CHECK_EQ(n, strlen(cgroups[i]));
	}
}

/* States come, change and go between two questions. */
TEST(runtimes_find_cgroup_changes)
{
	_cleanup_runtimes_ struct runtimes *r = NULL;
	_cleanup_(scratch_done) struct scratch s;
	struct container_info info = {0};
	char path[512];
	size_t n;

	scratch_init(&s);
	r = runtimes_new(s.root);
	CHECK_EQ(runtimes_find_cgroup(r, STR("/a"), &n, &info), -ENOENT);
	scratch_put(&s, "/run/runc/one/state.json", STATE("one", "/a"));
	scratch_put(&s, "/run/runc/two/state.json", STATE("two", "/b"));
	CHECK_EQ(runtimes_find_cgroup(r, STR("/a"), &n, &info), 0);
	CHECK_STREQ(info.id, "one");
	container_info_done(&info);

	scratch_put(&s, "/run/runc/one/state.json", STATE("one", "/longer"));
	CHECK_EQ(runtimes_find_cgroup(r, STR("/a"), &n, &info), -ENOENT);
	CHECK_EQ(runtimes_find_cgroup(r, STR("/longer"), &n, &info), 0);
	container_info_done(&info);

	scratch_path(&s, path, sizeof(path), "/run/runc/two/state.json");
	CHECK_EQ(unlink(path), 0);
	CHECK_EQ(runtimes_find_cgroup(r, STR("/b"), &n, &info), -ENOENT);
}
