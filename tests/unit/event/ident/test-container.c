/* SPDX-License-Identifier: Apache-2.0 */
#include "event/ident/container.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#define A      "0b9e1c52a7f34d86b1c0ee5d2f7a9c3840d1b6e7f2a5c8937e4d0b1a6c5f8e92"
#define B      "f1e2d3c4b5a697887766554433221100ffeeddccbbaa99887766554433221100"
#define UID    "7c9e6679-7425-40de-944b-e07fc1f90ae7"
#define UID_   "7c9e6679_7425_40de_944b_e07fc1f90ae7"
#define STATIC "5a1f4c2e9d8b7a605a1f4c2e9d8b7a60"

static const struct sample {
	const char *path;
	enum container_runtime runtime; /* RUNTIME_COUNT: it is no container */
	const char *id, *pod_uid;
	const char *own; /* the container's own cgroup; NULL: all of the path */
	const char *outer;
} samples[] = {
	/* docker */
	{"/docker/" A, RUNTIME_DOCKER, A, "", NULL, NULL},
	{"/docker/" A "/init.scope", RUNTIME_DOCKER, A, "", "/docker/" A, NULL},
	{"/docker/" A "/", RUNTIME_DOCKER, A, "", "/docker/" A, NULL},
	{"docker/" A, RUNTIME_DOCKER, A, "", NULL, NULL},
	{"/system.slice/docker-" A ".scope", RUNTIME_DOCKER, A, "", NULL, NULL},
	{"/system.slice/docker-" A ".scope/supervisor/x", RUNTIME_DOCKER, A, "",
	 "/system.slice/docker-" A ".scope", NULL},
	{"/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" A ".scope",
	 RUNTIME_DOCKER, A, "", NULL, NULL},
	{"/../../docker/" A, RUNTIME_DOCKER, A, "", NULL, NULL},
	{"/system.slice/system.slice:docker:" A, RUNTIME_DOCKER, A, "", NULL, NULL},
	{"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_ ".slice/docker-" A
	 ".scope",
	 RUNTIME_DOCKER, A, UID, NULL, NULL},
	/* podman */
	{"/machine.slice/libpod-" A ".scope", RUNTIME_PODMAN, A, "", NULL, NULL},
	{"/machine.slice/libpod-" A ".scope/container", RUNTIME_PODMAN, A, "",
	 "/machine.slice/libpod-" A ".scope", NULL},
	{"/libpod_parent/libpod-" A, RUNTIME_PODMAN, A, "", NULL, NULL},
	{"/skep-test/libpod-" A, RUNTIME_PODMAN, A, "", NULL, NULL},
	{"/libpod_parent/" B "/libpod-" A, RUNTIME_PODMAN, A, B, NULL, NULL},
	{"/machine.slice/machine-libpod_pod_" B ".slice/libpod-" A ".scope/container",
	 RUNTIME_PODMAN, A, B, "/machine.slice/machine-libpod_pod_" B ".slice/libpod-" A ".scope",
	 NULL},
	{"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" A ".scope/container",
	 RUNTIME_PODMAN, A, "",
	 "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" A ".scope", NULL},
	{"/user.slice/user-1000.slice/user@1000.service/user.slice/user-libpod_pod_" B
	 ".slice/libpod-" A ".scope",
	 RUNTIME_PODMAN, A, B, NULL, NULL},
	{"/system.slice/web.service/libpod-payload-" A, RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/libpod_parent/" B, RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/libpod_parent/conmon", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/machine.slice/libpod-conmon-" A ".scope", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/user.slice/user-1000.slice/user@1000.service/user.slice/podman-pause-1f2e3d4c.scope",
	 RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/machine.slice/machine-libpod_pod_" B ".slice", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	/* cri-o */
	{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_ ".slice/crio-" A
	 ".scope",
	 RUNTIME_CRIO, A, UID, NULL, NULL},
	{"/kubepods.slice/kubepods-pod" UID_ ".slice/crio-" A ".scope/container", RUNTIME_CRIO, A,
	 UID, "/kubepods.slice/kubepods-pod" UID_ ".slice/crio-" A ".scope", NULL},
	{"/kubepods/besteffort/pod" UID "/crio-" A, RUNTIME_CRIO, A, UID, NULL, NULL},
	{"/kubepods.slice/kubepods-pod" UID_ ".slice/crio-conmon-" A ".scope", RUNTIME_COUNT, NULL,
	 NULL, NULL, NULL},
	{"/kubepods/pod" UID "/crio-conmon-" A, RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	/* containerd */
	{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_
	 ".slice/cri-containerd-" A ".scope",
	 RUNTIME_CONTAINERD, A, UID, NULL, NULL},
	{"/kubepods.slice/kubepods-pod" STATIC ".slice/cri-containerd-" A ".scope",
	 RUNTIME_CONTAINERD, A, STATIC, NULL, NULL},
	{"/node.slice/node-kubepods.slice/node-kubepods-besteffort.slice/"
	 "node-kubepods-besteffort-pod" UID_ ".slice/cri-containerd-" A ".scope",
	 RUNTIME_CONTAINERD, A, UID, NULL, NULL},
	{"/system.slice/containerd.service/kubepods-burstable-pod" UID_ ".slice:cri-containerd:" A,
	 RUNTIME_CONTAINERD, A, UID, NULL, NULL},
	{"/kubepods-pod" UID_ ".slice:cri-containerd:" A "/init", RUNTIME_CONTAINERD, A, UID,
	 "/kubepods-pod" UID_ ".slice:cri-containerd:" A, NULL},
	{"/system.slice/nerdctl-" A ".scope", RUNTIME_CONTAINERD, A, "", NULL, NULL},
	{"/default/" A, RUNTIME_CONTAINERD, A, "", NULL, NULL},
	{"/k8s.io/" A, RUNTIME_CONTAINERD, A, "", NULL, NULL},
	{"/default/job1", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	/* Kubernetes by whatever runtime */
	{"/kubepods/besteffort/pod" UID "/" A, RUNTIME_KUBERNETES, A, UID, NULL, NULL},
	{"/kubepods/burstable/pod" UID "/" A "/init.scope", RUNTIME_KUBERNETES, A, UID,
	 "/kubepods/burstable/pod" UID "/" A, NULL},
	{"/kubepods/pod" STATIC "/" A, RUNTIME_KUBERNETES, A, STATIC, NULL, NULL},
	{"/kubepods/besteffort/pod" UID, RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/kubepods.slice", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	/* others */
	{"/buildah-buildah2335440277", RUNTIME_BUILDAH, "buildah-buildah2335440277", "", NULL,
	 NULL},
	{"/lxc.payload.web", RUNTIME_LXC, "web", "", NULL, NULL},
	{"/lxc.payload.web/system.slice/nginx.service", RUNTIME_LXC, "web", "", "/lxc.payload.web",
	 NULL},
	{"/lxc.payload/web", RUNTIME_LXC, "web", "", NULL, NULL},
	{"/lxc/web/init.scope", RUNTIME_LXC, "web", "", "/lxc/web", NULL},
	{"/lxc.monitor.web", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/lxc.monitor/web", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/lxc.pivot", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/machine.slice/machine-web\\x2dshop.scope", RUNTIME_NSPAWN, "web\\x2dshop", "", NULL,
	 NULL},
	{"/machine.slice/machine-web.scope/payload/system.slice/x.service", RUNTIME_NSPAWN, "web",
	 "", "/machine.slice/machine-web.scope", NULL},
	{"/machine.slice/systemd-nspawn@web.service/payload", RUNTIME_NSPAWN, "web", "",
	 "/machine.slice/systemd-nspawn@web.service", NULL},
	{"/machine.slice/machine-qemu\\x2d1\\x2dvm.scope", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/machine.slice/machine-lxc\\x2dweb.scope", RUNTIME_LXC, "web", "", NULL, NULL},
	{"/system.slice/runc-web.scope", RUNTIME_RUNC, "web", "", NULL, NULL},
	{"/user.slice/crun-web.scope", RUNTIME_CRUN, "web", "", NULL, NULL},
	{"/ecs/7f3a/" A, RUNTIME_UNKNOWN, A, "", NULL, NULL},
	{"/actions_job/" A, RUNTIME_UNKNOWN, A, "", NULL, NULL},
	/* one in another: the inner one is meant, the outer one's path is kept */
	{"/docker/" A "/docker/" B, RUNTIME_DOCKER, B, "", NULL, "/docker/" A},
	{"/docker/" A "/system.slice/docker-" B ".scope/x", RUNTIME_DOCKER, B, "",
	 "/docker/" A "/system.slice/docker-" B ".scope", "/docker/" A},
	{"/docker/" A "/kubelet/kubepods/burstable/pod" UID "/" B, RUNTIME_KUBERNETES, B, UID, NULL,
	 "/docker/" A},
	{"/docker/" A "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" UID_
	 ".slice/cri-containerd-" B ".scope",
	 RUNTIME_CONTAINERD, B, UID, NULL, "/docker/" A},
	{"/kubepods/pod" UID "/" A "/docker/" B, RUNTIME_DOCKER, B, UID, NULL,
	 "/kubepods/pod" UID "/" A},
	{"/lxc.payload.web/docker/" B, RUNTIME_DOCKER, B, "", NULL, "/lxc.payload.web"},
	{"/docker/" A "/libpod_parent/conmon", RUNTIME_DOCKER, A, "", "/docker/" A, NULL},
	{"/docker/" A "/user.slice/libpod-conmon-" B ".scope", RUNTIME_DOCKER, A, "", "/docker/" A,
	 NULL},
	/* a pod made inside a container is not its pod */
	{"/docker/" A "/kubepods/pod" UID, RUNTIME_DOCKER, A, "", "/docker/" A, NULL},
	/* nothing of the kind */
	{"", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"///", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/init.scope", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/plain1", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/system.slice/sshd.service", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/system.slice/docker.service", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/system.slice/containerd.service", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/system.slice/docker-0b9e1c52a7f3.scope", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/system.slice/docker-" A "0.scope", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/docker/0B9E1C52A7F34D86B1C0EE5D2F7A9C3840D1B6E7F2A5C8937E4D0B1A6C5F8E92", RUNTIME_COUNT,
	 NULL, NULL, NULL, NULL},
	{"/docker/buildkit/abc", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/process_api/152955163063cbfb08a1fedbe5fc7bf6", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/runc-.scope", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/user.slice/user-0.slice/session-3.scope", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/a.slice:b:c", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/:", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
	{"/::", RUNTIME_COUNT, NULL, NULL, NULL, NULL},
};

static void check_sample(const struct sample *s)
{
	const char *own = s->own ? s->own : s->path, *outer = s->outer ? s->outer : own;
	struct container_ref ref = {.cgroup_n = 12345};
	bool is = container_of_cgroup(str_of(s->path), &ref);

	test_result(is == (s->runtime != RUNTIME_COUNT), __FILE__, __LINE__, "%s is%s a container",
		    s->path, is ? "" : " not");
	if (!is) {
		CHECK_EQ(ref.cgroup_n, 12345); /* untouched */
		return;
	}
	test_result(ref.runtime == s->runtime && str_eq(ref.id, str_of(s->id)), __FILE__, __LINE__,
		    "%s is %s %.*s", s->path, container_runtime_name(ref.runtime), (int)ref.id.n,
		    ref.id.p);
	test_result(!strcmp(ref.pod_uid, s->pod_uid), __FILE__, __LINE__, "%s is in pod %s",
		    s->path, ref.pod_uid);
	test_result(ref.cgroup_n == strlen(own) && ref.outer_n == strlen(outer) &&
			    !strncmp(s->path, own, ref.cgroup_n),
		    __FILE__, __LINE__, "%s: own %zu, outer %zu", s->path, ref.cgroup_n,
		    ref.outer_n);
	CHECK(ref.id.p >= s->path && ref.id.p + ref.id.n <= s->path + strlen(s->path));
}

TEST(container_of_cgroup)
{
	_Static_assert(ELEMENTS(samples) >= 40, "a table worth its name");
	for (size_t i = 0; i < ELEMENTS(samples); i++)
		check_sample(&samples[i]);
}

/* Every row of the table fits the name that it describes, and leads to its runtime. */
static void check_row(const char *parent, const char *before, const char *id, const char *after,
		      unsigned runtime)
{
	char path[512];
	size_t n = strlen(parent);
	struct container_ref ref;
	bool is_any = n && parent[n - 1] == '*';

	snprintf(path, sizeof(path), "/%.*s%s/%s%s%s", (int)(is_any ? n - 1 : n), parent,
		 is_any ? UID : "", before, id, after);
	if (runtime == RUNTIME_COUNT)
		test_result(!container_of_cgroup(str_of(path), &ref), __FILE__, __LINE__, "%s",
			    path);
	else
		test_result(container_of_cgroup(str_of(path), &ref) && ref.runtime == runtime,
			    __FILE__, __LINE__, "%s", path);
}

TEST(container_layouts)
{
	enum { RUNTIME_NONE = RUNTIME_COUNT };
	const char *HEX = A, *NAME = "web", *WHOLE = "7";

#define LAYOUT(runtime, parent, before, id, after) \
	check_row(parent, before, id, after, RUNTIME_##runtime);
#include "event/ident/container.def"
#undef LAYOUT
}

/* What a longer path has below its container never changes who it is, unless it is one. */
TEST(container_below)
{
	static const char *const below[] = {
		"/a", "/init.scope", "/x/y/z", "/system.slice/a:b:c", "/" UID, "/kubepods/pod" UID};

	for (size_t i = 0; i < ELEMENTS(samples); i++) {
		for (size_t k = 0; k < ELEMENTS(below); k++) {
			_cleanup_buf_ struct buf path = {0};
			struct container_ref ref, deeper;

			if (!container_of_cgroup(str_of(samples[i].path), &ref))
				continue;
			buf_printf(&path, "%s%s", samples[i].path, below[k]);
			CHECK(container_of_cgroup(buf_str(&path), &deeper));
			CHECK(str_eq(ref.id, deeper.id) && ref.cgroup_n == deeper.cgroup_n);
			CHECK_STREQ(deeper.pod_uid, ref.pod_uid);
		}
	}
}

TEST(container_runtime_name)
{
	CHECK_STREQ(container_runtime_name(RUNTIME_CRIO), "cri-o");
	CHECK_STREQ(container_runtime_name(RUNTIME_KUBERNETES), "kubernetes-unknown");
	CHECK_STREQ(container_runtime_name(RUNTIME_COUNT), "unknown");
	for (unsigned i = 0; i < RUNTIME_COUNT; i++)
		CHECK(container_runtime_name(i) != NULL);
}
