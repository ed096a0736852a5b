/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target as a plain program: runs it over files, or over all files of folders.
 *
 * One TAP line comes out, and a comment for each input that the target did not survive.
 * The inputs run one after the other in a child; where it dies, the next child goes on
 * behind that input.  Each input is a block of its own size, so that a sanitizer sees a
 * read beyond its end.
 */
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 20, INPUTS = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char *inputs[INPUTS];
static size_t n_inputs;

static void add(const char *path)
{
	struct dirent **names;
	struct stat st;
	char *file;
	int n;

	if (stat(path, &st) < 0) {
		perror(path);
		exit(2);
	}
	if (!S_ISDIR(st.st_mode)) {
		if (n_inputs < INPUTS)
			inputs[n_inputs++] = strdup(path);
		return;
	}
	n = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.' &&
		    asprintf(&file, "%s/%s", path, names[i]->d_name) > 0) {
			add(file);
			free(file);
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

static void run_one(const char *path)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	uint8_t *data;
	size_t n;

	if (!f || fstat(fileno(f), &st) < 0) {
		perror(path);
		_exit(2);
	}
	data = malloc(st.st_size);
	n = fread(data, 1, st.st_size, f);
	fclose(f);
	alarm(SECONDS);
	LLVMFuzzerTestOneInput(data, n);
	alarm(0);
	free(data);
}

/* All inputs from the *at-th; the child counts *at up. */
static int run_from(volatile size_t *at)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(2);
	}
	if (!pid) {
		for (; *at < n_inputs; (*at)++)
			run_one(inputs[*at]);
		exit(0); /* here a sanitizer looks for leaks */
	}
	while (waitpid(pid, &status, 0) < 0)
		;
	return status;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	volatile size_t *at;
	size_t failed = 0;
	int status;

	at = mmap(NULL, sizeof(*at), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return 2;
	for (int i = 1; i < argc; i++)
		add(argv[i]);
	while (*at < n_inputs) {
		status = run_from(at);
		if (!status)
			break;
		failed++;
		if (*at >= n_inputs)
			printf("# after the last input: status %d\n", WEXITSTATUS(status));
		else if (WIFSIGNALED(status))
			printf("# %s: %s\n", inputs[*at], strsignal(WTERMSIG(status)));
		else
			printf("# %s: status %d\n", inputs[*at], WEXITSTATUS(status));
		(*at)++;
	}
	if (!n_inputs)
		puts("# there are no inputs");
	failed += !n_inputs;
	printf("%sok 1 - %zu inputs for %s\n1..1\n", failed ? "not " : "", n_inputs, name);
	return !!failed;
}
