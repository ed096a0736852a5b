/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The passes: golden files one by one, then random programs that must mean the same.
 *
 * tests/golden/opt/PASS-what.ir is what a pass gets, PASS-what.opt what it makes of it
 * ("all": all of -O2).  SKEP_UPDATE=1 writes the .opt files anew.  SKEP_RANDOM=N runs N
 * random programs, SKEP_SEED=S begins with that one.
 */
#include "compile/opt/passes.h"

#include "compile/random-world.h"
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned long from_environment(const char *name, unsigned long otherwise)
{
	const char *s = getenv(name);

	return s ? strtoul(s, NULL, 0) : otherwise;
}

/* --- random programs */

enum { STEPS = 1 << 20 };

struct passing {
	uint64_t seed;
	const char *broken; /* the pass that broke the rules */
};

static void check_after(void *ctx, const struct opt_pass *pass, const struct ir_module *m)
{
	_cleanup_buf_ struct buf why = {0};
	struct passing *p = ctx;

	if (p->broken || ir_check(m, &why))
		return;
	p->broken = pass->name;
	test_result(false, __FILE__, __LINE__, "seed %llu, behind %s: %s",
		    (unsigned long long)p->seed, pass->name, why.p);
}

/* One program as it is and behind a pass (NULL: all of -O2).  False: they differ. */
static bool compare(uint64_t seed, const struct opt_pass *pass, uint64_t steps[2])
{
	_cleanup_(arena_done) struct arena a = {0};
	struct random_options o = {.statements = 8 + (unsigned int)(seed % 32),
				   .kernel_reads = seed % 3 == 0,
				   .map = seed % 4 == 0,
				   .wide = seed % 2};
	struct passing passing = {.seed = seed};
	struct random_outcome before, after;
	struct ir_module m;

	random_module(&m, &a, seed, &o);
	random_run(&m, seed, STEPS, &before);
	if (!pass)
		opt_run(&m, 2, check_after, &passing);
	else if (opt_run_pass(pass, &m))
		check_after(&passing, pass, &m);
	if (passing.broken)
		return false;
	random_run(&m, seed, STEPS, &after);
	steps[0] += before.steps;
	steps[1] += after.steps;
	if (random_same(&before, &after))
		return true;
	test_result(false, __FILE__, __LINE__, "seed %llu, pass %s: %llx (%d) became %llx (%d)",
		    (unsigned long long)seed, pass ? pass->name : "all",
		    (unsigned long long)before.ret, before.why, (unsigned long long)after.ret,
		    after.why);
	return false;
}

TEST(random_programs_mean_the_same)
{
	uint64_t n = from_environment("SKEP_RANDOM", 3000), steps[2] = {0};
	uint64_t first = from_environment("SKEP_SEED", 1);
	unsigned int differ = 0;

	CHECK(random_user());
	for (uint64_t seed = first; seed < first + n && differ < 5; seed++)
		differ += !compare(seed, NULL, steps);
	CHECK_EQ(differ, 0);
	CHECK(steps[1] < steps[0]);
	printf("# %llu programs: %llu steps became %llu\n", (unsigned long long)n,
	       (unsigned long long)steps[0], (unsigned long long)steps[1]);
}

TEST(each_pass_alone_means_the_same)
{
	uint64_t n = from_environment("SKEP_RANDOM", 3000) / 20, steps[2] = {0};
	uint64_t first = from_environment("SKEP_SEED", 1);
	unsigned int differ = 0;

	CHECK(random_user());
	for (const struct opt_pass *p = opt_passes; p->name; p++)
		for (uint64_t seed = first; seed < first + n && differ < 5; seed++)
			differ += !compare(seed, p, steps);
	CHECK_EQ(differ, 0);
}

/* --- golden files */

static bool read_file(const char *path, struct buf *to)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char part[4096];
	size_t n;

	if (!f)
		return false;
	while ((n = fread(part, 1, sizeof(part), f)))
		buf_add(to, part, n);
	return true;
}

static bool write_file(const char *path, const struct buf *from)
{
	_cleanup_fclose_ FILE *f = fopen(path, "we");

	return f && fwrite(from->p, 1, from->n, f) == from->n;
}

/* The pass that a file's name begins with; *ret_all: all of them. */
static const struct opt_pass *pass_of(const char *name, bool *ret_all)
{
	size_t n = strcspn(name, "-.");

	*ret_all = n == 3 && !strncmp(name, "all", 3);
	for (const struct opt_pass *p = opt_passes; p->name; p++)
		if (strlen(p->name) == n && !strncmp(p->name, name, n))
			return p;
	return NULL;
}

static bool transform(const char *name, struct str text, struct buf *to)
{
	_cleanup_(arena_done) struct arena a = {0};
	struct diags d = {.arena = &a};
	const struct opt_pass *pass;
	struct ir_module m;
	bool all;

	pass = pass_of(name, &all);
	ir_module_init(&m, &a, "golden");
	diag_source(&d, name, text);
	if (!ir_parse(&m, &d, 0)) {
		diags_print(&d, false, to);
		return false;
	}
	if ((!pass && !all) || !ir_check(&m, to))
		return false;
	if (all)
		opt_run(&m, 2, NULL, NULL);
	else
		opt_run_pass(pass, &m);
	ir_print(&m, to);
	return ir_check(&m, to);
}

static void check_golden(const char *folder, const char *name)
{
	_cleanup_buf_ struct buf in = {0}, out = {0}, expected = {0}, path = {0};
	bool ok;

	buf_printf(&path, "%s/%s", folder, name);
	read_file(path.p, &in);
	ok = transform(name, buf_str(&in), &out);
	path.n -= 3;
	buf_puts(&path, ".opt");
	if (ok && getenv("SKEP_UPDATE"))
		ok = write_file(path.p, &out);
	read_file(path.p, &expected);
	test_result(ok && str_eq(buf_str(&out), buf_str(&expected)), __FILE__, __LINE__,
		    "%s gives\n%s", name, out.p ? out.p : "nothing: no such pass");
}

/* A pass that comes without a file is not tested. */
static void check_has_golden(const struct opt_pass *pass, struct dirent **names, int n)
{
	unsigned int found = 0;
	bool all;

	for (int i = 0; i < n; i++)
		found += str_ends(str_of(names[i]->d_name), STR(".ir")) &&
			 pass_of(names[i]->d_name, &all) == pass;
	test_result(found, __FILE__, __LINE__, "pass %s has no tests/golden/opt/%s-….ir",
		    pass->name, pass->name);
}

TEST(golden)
{
	static const char folder[] = TEST_DATA "/../golden/opt";
	struct dirent **names;
	int n = scandir(folder, &names, NULL, alphasort);

	for (const struct opt_pass *p = opt_passes; p->name; p++)
		check_has_golden(p, names, n);
	for (int i = 0; i < n; i++) {
		if (str_ends(str_of(names[i]->d_name), STR(".ir")))
			check_golden(folder, names[i]->d_name);
		free(names[i]);
	}
	CHECK(n > 2);
	if (n >= 0)
		free(names);
}
