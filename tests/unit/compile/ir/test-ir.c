/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text form: what is refused and why; what is printed parses to the same: examples of
 * docs/ir.md, golden modules, those of scripts.
 */
#include "compile/ir/op.h"
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

/* What is wrong with a text; "" if nothing is. */
static const char *wrong(struct arena *a, struct str text)
{
	_cleanup_buf_ struct buf why = {0};
	struct diags d = {.arena = a};
	struct ir_module m;

	ir_module_init(&m, a, "test");
	diag_source(&d, "test", text);
	if (!ir_parse(&m, &d, 0))
		diags_print(&d, false, &why);
	else if (ir_check(&m, &why))
		return "";
	return arena_strndup(a, why.p, why.n);
}

static void refuses(const char *body, const char *because)
{
	_cleanup_(arena_done) struct arena a = {0};
	const char *text =
		arena_printf(&a, "module t\nmap 0\nfunc main(1) {\n ptr %%1\n%s\n}\n", body);
	const char *why = wrong(&a, str_of(text));

	test_result(*because ? !!strstr(why, because) : !*why, __FILE__, __LINE__,
		    "%s\ngives \"%s\", not \"%s\"", body, why, because);
}

TEST(check_refuses)
{
	refuses("b0: return 0", "");
	refuses("b0: %2 = add 1, 2", "no end");
	refuses("b0: jump b1", "no block b1");
	refuses("b0: return %2", "not written on every path");
	refuses("b0: if eq %1, 0 then b1 else b2\nb1: %2 = mov 1 jump b2\nb2: return %2",
		"%2 is read but not written");
	refuses("b0: if eq %1, 0 then b1 else b2\nb1: %2 = mov 1 jump b3\n"
		"b2: %2 = mov 2 jump b3\nb3: return %2",
		"");
	refuses("slot 0: 8 align 3\nb0: return 0", "align 3");
	refuses("slot 0: 8 align 8\nb0: %2 = slot 1 return 0", "index 1 of 1");
	refuses("slot 0: 8 align 8\nb0: %2 = slot 0 store u64 [%2 + 1], 0 return 0", "slot 0");
	refuses("slot 0: 8 align 8\nb0: %2 = slot 0 %3 = add %2, 4 %4 = load u64 [%3] return %4",
		"bytes 4 to 12 of slot 0");
	refuses("slot 0: 8 align 8\nb0: %2 = slot 0 zero [%2], 9 return 0", "bytes 0 to 9");
	refuses("b0: %2 = scratch 8 return 0", "beyond the scratch");
	refuses("b0: %2 = map 1 return 0", "index 1 of 1");
	refuses("b0: %2 = zext %1, 7 return 0", "wrong size 7");
	refuses("b0: atomic_add u16 [%1], 1 return 0", "wrong size");
	refuses("b0: %2 = callf main(1) return %2", "entry cannot be called");
	refuses("b0: %2 = mul %1, 2 return %2", "arithmetic with a pointer");
	refuses("kptr %2\nb0: %2 = mov 5 %3 = load u8 [%2] return %3", "no address");
	refuses("kptr %2\nb0: %2 = mov 5 %3 = kload u8 [%2] return %3", "");
	refuses("map %2\nb0: %2 = map 0 %3 = load u8 [%2] return %3", "no address");
	refuses("btf %2\nb0: %2 = load u64 [%1] store u64 [%2], 0 return 0", "to write to");
	refuses("b0: switch %1 1: b0, 1: b0, else b0", "case 1 is there twice");
	refuses("b0: %2, %2 = kload u8 [%1] return 0", "one register for value and error");
	refuses("b0: %2 = callf f(1, 2) return %2\n}\nfunc f(1) {\nb0: return %1", "takes 1");
	refuses("b0: %2 = callf f(1) return %2\n}\nfunc f(1) {\nb0: %2 = callf f(1) return %2",
		"circle");
	refuses("b0: return 0\n}\nfunc main(1) {\nb0: return 0", "two functions");
	refuses("b0: %2 = func f return 0\n}\nfunc f(2) {\nb0: return 0", "no callback");
	refuses("b0: %2 = func f return 0\n}\nfunc f(2) callback {\nb0: return 0", "");
}

TEST(parse_refuses)
{
	refuses("b0: %0 = mov 1 return 0", "expected a register");
	refuses("b1: return 0", "blocks in order");
	refuses("b0: %2 = frob 1 return 0", "expected an operation, found 'frob'");
	refuses("b0: %2 = load u24 [%1] return 0", "expected a size");
	refuses("b0: return 99999999999999999999", "expected a number");
	refuses("b0: return 0 return 1", "the next block");
	refuses("b0: %2 = callf nobody() return 0", "no function nobody");
	refuses("b0: %2 = call nobody() return 0", "expected a helper function");
	refuses("b0: %2 = call 5(1, 2, 3, 4, 5, 6) return 0", "at most five");
	refuses("b0: %2 = callrt \"abc return 0", "expected a name");
	refuses("slot 1: 8 align 8", "slots in order");
}

/* It parses, checks and prints as it is. */
static bool is_printed(const char *name, struct str text)
{
	_cleanup_(arena_done) struct arena a = {0};
	_cleanup_buf_ struct buf printed = {0};
	const char *why = wrong(&a, text);
	struct diags d = {.arena = &a};
	struct ir_module m;

	if (!*why) {
		ir_module_init(&m, &a, "module");
		ir_parse(&m, &d, diag_source(&d, name, text));
		ir_print(&m, &printed);
		if (str_eq(buf_str(&printed), text))
			return true;
		why = "it prints as";
	}
	test_result(false, __FILE__, __LINE__, "%s: %.*s\n%s\n%s", name, (int)text.n, text.p, why,
		    printed.p ? printed.p : "");
	return false;
}

static void read_file(const char *path, struct buf *to)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char part[4096];
	size_t got;

	while (f && (got = fread(part, 1, sizeof(part), f)))
		buf_add(to, part, got);
}

/* The files of a folder whose names end so: modules as ir_print() wrote them. */
static unsigned int check_folder(const char *folder, const char *end)
{
	struct dirent **names;
	int n = scandir(folder, &names, NULL, alphasort);
	unsigned int good = 0;

	for (int i = 0; i < n; i++) {
		_cleanup_buf_ struct buf path = {0}, text = {0};

		buf_printf(&path, "%s/%s", folder, names[i]->d_name);
		if (str_ends(str_of(names[i]->d_name), str_of(end))) {
			read_file(path.p, &text);
			good += is_printed(names[i]->d_name, buf_str(&text));
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return good;
}

/* Those of real scripts, too: tests/trace/ir.py writes them into a folder and names it. */
TEST(modules_print_and_parse)
{
	const char *folder = getenv("SKEP_IR");
	unsigned int n;

	CHECK(check_folder(TEST_DATA "/../golden/opt", ".opt") > 10);
	if (!folder)
		return;
	n = check_folder(folder, ".ir");
	CHECK(n > 0);
	printf("# %u modules are the same\n", n);
}

/* Every block of docs/ir.md that is marked as ir. */
TEST(examples_of_the_document)
{
	_cleanup_buf_ struct buf text = {0};
	unsigned int n = 0;
	char *at;

	read_file(TEST_DATA "/../../docs/ir.md", &text);
	at = text.p;
	while (at && (at = strstr(at, "```ir\n"))) {
		char *end = strstr(at += 6, "```");

		n += end && is_printed("docs/ir.md", (struct str){at, (size_t)(end - at)});
	}
	CHECK(n > 5);
}
