/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of a container, put together from keys and values.
 *
 * Docker has labels, OCI bundles have annotations, CRI-O keeps labels as JSON
 * inside an annotation: all are pairs of strings, and what Kubernetes wants to be
 * known about a container stands among them under well-known keys.  So there is one
 * table of keys, whoever wrote them.  The other pairs are the container's labels.
 */
#include "event/ident/container-text.h"
#include "event/ident/runtime/source.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

/* Which member a key fills; where two may be present, the better stands first. */
static const struct field {
	const char *key;
	size_t member;
} fields[] = {
	{"io.kubernetes.container.name", offsetof(struct container_info, name)},
	{"io.kubernetes.cri.container-name", offsetof(struct container_info, name)},
	{"nerdctl/name", offsetof(struct container_info, name)},
	{"io.kubernetes.cri.image-name", offsetof(struct container_info, image)},
	{"io.kubernetes.cri-o.UserRequestedImage", offsetof(struct container_info, image)},
	{"io.kubernetes.cri-o.ImageName", offsetof(struct container_info, image)},
	{"io.kubernetes.pod.name", offsetof(struct container_info, pod_name)},
	{"io.kubernetes.cri.sandbox-name", offsetof(struct container_info, pod_name)},
	{"io.kubernetes.cri-o.KubeName", offsetof(struct container_info, pod_name)},
	{"io.kubernetes.pod.namespace", offsetof(struct container_info, pod_namespace)},
	{"io.kubernetes.cri.sandbox-namespace", offsetof(struct container_info, pod_namespace)},
	{"io.kubernetes.cri-o.Namespace", offsetof(struct container_info, pod_namespace)},
	{"io.kubernetes.pod.uid", offsetof(struct container_info, pod_uid)},
	{"io.kubernetes.cri.sandbox-uid", offsetof(struct container_info, pod_uid)},
	{"io.kubernetes.cri.sandbox-id", offsetof(struct container_info, sandbox)},
	{"io.kubernetes.cri-o.SandboxID", offsetof(struct container_info, sandbox)},
	{"io.kubernetes.sandbox.id", offsetof(struct container_info, sandbox)},
	{"io.kubernetes.cri-o.IP.0", offsetof(struct container_info, ip)},
};

/* Pairs which say that this is a pod's pause container. */
static const char *const sandbox_signs[][2] = {
	{"io.kubernetes.container.name", "POD"},
	{"io.kubernetes.docker.type", "podsandbox"},
	{"io.kubernetes.cri.container-type", "sandbox"},
	{"io.kubernetes.cri-o.ContainerType", "sandbox"},
};

static const struct {
	const char *value;
	enum container_runtime runtime;
} managers[] = {
	{"libpod", RUNTIME_PODMAN},
	{"cri-o", RUNTIME_CRIO},
};

/* Keys that runtimes use among themselves: no labels. */
static const char *const internal[] = {
	"io.kubernetes.cri.",
	"io.kubernetes.cri-o.",
	"io.container.manager",
	"io.podman.annotations.",
	"nerdctl/",
	"org.opencontainers.image.stopSignal",
};

/* At most CONTAINER_TEXT_MAX bytes, and no UTF-8 character is cut in two. */
static size_t text_n(struct str s)
{
	size_t n = MIN(s.n, (size_t)CONTAINER_TEXT_MAX);

	while (n < s.n && n > 0 && (s.p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

void info_set_str(char **member, struct str value)
{
	if (!*member && value.n)
		*member = xstrndup(value.p, text_n(value));
}

void info_set(char **member, const char *value)
{
	info_set_str(member, str_of(value));
}

void info_set_image_id(struct container_info *info, const char *id)
{
	struct str digits = str_of(id);

	if (str_starts(digits, STR("sha256:")))
		digits = (struct str){digits.p + 7, digits.n - 7};
	if (container_id_is_hex(digits))
		info_set_str(&info->image_id, digits);
}

void info_set_runtime(struct container_info *info, enum container_runtime runtime)
{
	if (info->runtime == RUNTIME_UNKNOWN || info->runtime == RUNTIME_KUBERNETES)
		info->runtime = runtime;
}

const char *container_info_label(const struct container_info *info, const char *key)
{
	const char *p = info->labels.p;

	for (size_t i = 0; i < info->n_labels; i++) {
		const char *value = p + strlen(p) + 1;

		if (!strcmp(p, key))
			return value;
		p = value + strlen(value) + 1;
	}
	return NULL;
}

void info_add_label(struct container_info *info, const char *key, const char *value)
{
	struct str text = str_of(value);

	if (info->n_labels == CONTAINER_LABELS_MAX || !*key || strlen(key) > CONTAINER_KEY_MAX ||
	    container_info_label(info, key))
		return;
	buf_add(&info->labels, key, strlen(key) + 1);
	buf_add(&info->labels, value, text_n(text));
	buf_putc(&info->labels, 0);
	info->n_labels++;
}

static void add_well_known(struct container_info *info, const char *key, const char *value)
{
	for (size_t i = 0; i < ELEMENTS(sandbox_signs); i++)
		if (!strcmp(key, sandbox_signs[i][0]) && !strcmp(value, sandbox_signs[i][1]))
			info->is_sandbox = true;
	if (strcmp(key, "io.container.manager"))
		return;
	for (size_t i = 0; i < ELEMENTS(managers); i++)
		if (!strcmp(value, managers[i].value))
			info_set_runtime(info, managers[i].runtime);
}

static bool is_internal(const char *key)
{
	for (size_t i = 0; i < ELEMENTS(internal); i++)
		if (!strncmp(key, internal[i], strlen(internal[i])))
			return true;
	return false;
}

void info_add_labels(struct container_info *info, json_t *object)
{
	const char *key;
	json_t *value;

	for (size_t i = 0; i < ELEMENTS(fields); i++)
		info_set((char **)((char *)info + fields[i].member),
			 json_text(object, fields[i].key));
	json_object_foreach(object, key, value)
	{
		if (!json_is_string(value))
			continue;
		add_well_known(info, key, json_string_value(value));
		if (!is_internal(key))
			info_add_label(info, key, json_string_value(value));
	}
}

int parse_oci_config(struct str text, struct container_info *info)
{
	json_auto_t *root = json_of(text);
	json_t *annotations = json_object_get(root, "annotations");
	const char *crio = json_text(annotations, "io.kubernetes.cri-o.Labels");
	json_auto_t *labels = json_of(str_of(crio));

	if (!json_text(root, "ociVersion"))
		return -EBADMSG;
	info_add_labels(info, labels);
	info_add_labels(info, annotations);
	info_set(&info->hostname, json_text(root, "hostname"));
	facts_of_spec(info, root);
	return 0;
}

void info_finish(struct container_info *info)
{
	struct image_name image;

	if (info->image) {
		image_name_split(str_of(info->image), &image);
		info_set_str(&info->digest, image.digest);
		if (!image.repository.n)
			info_set_image_id(info, info->image);
	}
	if (info->id && !container_id_is_hex(str_of(info->id)))
		info_set(&info->name, info->id);
}

void container_info_done(struct container_info *info)
{
	free(info->id);
	free(info->name);
	free(info->image);
	free(info->image_id);
	free(info->digest);
	free(info->pod_uid);
	free(info->pod_name);
	free(info->pod_namespace);
	free(info->sandbox);
	free(info->hostname);
	free(info->ip);
	buf_done(&info->labels);
	buf_done(&info->pod_labels);
	buf_done(&info->mounts);
	*info = (struct container_info){0};
}

json_t *json_of(struct str text)
{
	return text.n ? json_loadb(text.p, text.n, 0, NULL) : NULL;
}

const char *json_text(json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}
