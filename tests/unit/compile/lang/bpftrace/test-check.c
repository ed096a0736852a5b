/* SPDX-License-Identifier: Apache-2.0 */
/* What the checker says of programs that are wrong, and where. */
#include "check-run.h"
#include "test.h"

struct row {
	const char *program;
	const char *text; /* within the messages */
};

static const struct row bad[] = {
	/* names */
	{"kprobe:f { nsec }", "stdin:1:12-16: ERROR: Unknown identifier: 'nsec'"},
	{"kprobe:f { nsec }", "HINT: Did you mean \"nsecs\"?"},
	{"kprobe:f { prinft(\"x\"); }", "Unknown function: 'prinft'"},
	{"kprobe:f { prntf(\"x\"); }", "HINT: Did you mean \"printf\"?"},
	{"begin { print($nope); }",
	 "stdin:1:15-20: ERROR: Undefined or undeclared variable: $nope"},
	{"begin { $count = 1; print($cuont); }", "HINT: Did you mean \"$count\"?"},
	{"begin { $x = 1; let $x = 2; }", "Variable $x was already declared"},
	{"begin { $x = 1; let $x = 2; }", "stdin:1:9-15: ERROR: This is the initial assignment."},
	{"begin { $i = 1; for ($i : 0..3) { } }", "Loop declaration shadows existing variable: $i"},
	{"begin { print(@never); }", "stdin:1:15-21: ERROR: Undefined map: @never"},
	{"begin { (struct nope *)0; }", "Cannot resolve unknown type \"struct nope\""},
	{"begin { print((enum nope)1); }", "Unknown enum: nope"},
	{"struct S { int alpha; } kprobe:f { print(((struct S *)arg0)->alpah); }",
	 "Struct/union of type 'struct S' does not contain a field named 'alpah'"},
	{"struct S { int alpha; } kprobe:f { print(((struct S *)arg0)->alpah); }",
	 "HINT: Did you mean \"alpha\"?"},
	{"begin { $r = (a=1); print($r.b); }", "Record does not contain a field named 'b'"},
	{"begin { print(sarg0); }", "sarg* is deleted."},
	/* types */
	{"begin { $a = 1; $a = \"x\"; }",
	 "stdin:1:17-25: ERROR: Type mismatch for $a: trying to assign value of type 'string[2]' "
	 "when variable already has a type 'int8'"},
	{"begin { @a = 1; @a = \"x\"; }", "when map already has a type 'int8'"},
	{"begin { let $a: uint8 = 300; }",
	 "trying to assign value of type 'int16' when variable already has a type 'uint8'"},
	{"begin { let $a: count_t; }", "Invalid variable declaration type: count_t"},
	{"begin { $a = 1 == \"x\"; }", "Type mismatch for '==': comparing int8 with string[2]"},
	{"begin { $a = 1 == \"x\"; }", "stdin:1:19-22: ERROR: right (string[2])"},
	{"begin { $a = pid > 1 ? 1 : \"x\"; }",
	 "Branches must return the same type or compatible types: have 'int8' and 'string[2]'"},
	{"kprobe:f / kstack / { }", "stdin:1:10-20: ERROR: Invalid condition: kstack"},
	{"begin { if (\"a\" == 1) { } }", "Type mismatch for '=='"},
	{"begin { $a = (int8 *)0; $b = $a * 2; }",
	 "The * operator can not be used on expressions of types int8 *, int8"},
	{"begin { $a = -\"x\"; }", "The - operator can not be used on expressions of type"},
	{"begin { $a = \"abc\"; print($a[7]); }",
	 "the index 7 is out of bounds for array of size 4"},
	{"begin { $a = 5; print($a[0]); }",
	 "The array index operator [] can only be used on arrays, pointers, and tuples"},
	{"begin { $a = (1, 2); print($a.2); }", "Invalid tuple index: 2. Found 2 elements"},
	{"begin { $a = (bool)kstack; }", "Cannot cast from \"kstack_bpftrace_127\" to \"bool\""},
	{"enum E { A = 1 } begin { print((enum E)7); }", "doesn't contain a variant value of 7"},
	{"begin { $a = typeinfo($a2); }", "Undefined or undeclared variable: $a2"},
	{"begin { if comptime (sizeof($a) == 1) { $a = (uint64)1; } $a = (uint8)1; }",
	 "Undefined or undeclared variable"},
	{"begin { $a = (uint8)1; if comptime (sizeof($a) == 1) { $a = (uint64)2; } }",
	 "this type has been locked"},
	{"begin { $a = 1; comptime ($a + 1); }", "Unable to resolve comptime expression"},
	/* maps */
	{"begin { @a = 1; @a[1] = 2; }", "previously used without an explicit key (scalar map)"},
	{"begin { @a[1] = 1; print(@a + 1); }", "previously used with an explicit key"},
	{"begin { @a[1] = 1; @a[\"x\"] = 2; }",
	 "Argument mismatch for @a: trying to access with arguments: 'string[2]' when map expects "
	 "arguments: 'int8'"},
	{"begin { @a = 1; for ($kv : @a) { } }", "@a has no explicit keys (scalar map)"},
	{"begin { @a = 1; delete(@a, 1); }",
	 "call to delete() with two arguments expects a map with explicit keys"},
	{"begin { @h = hist(1); @k[@h] = 1; }", "Value 'hist_t' cannot be used as a map key."},
	{"let @a = percpuhash(5); begin { @a = 1; }", "Incompatible map types."},
	{"let @a = fancy(5); begin { @a = 1; }", "Invalid bpf map type: fancy"},
	/* aggregations */
	{"begin { $a = count(); }", "stdin:1:14-21: ERROR: count() must be assigned directly"},
	{"begin { @a = count(); @b = @a; }", "`@b = (int64)@a;`"},
	{"begin { @a = count(); @a = 5; }", "when map already has a type 'count_t'"},
	{"begin { @a = hist(5, 1); @a = hist(5, 2); }", "Different bits in a single hist"},
	{"begin { @a = sum(\"x\"); }", "sum() only supports integer arguments"},
	{"begin { @a = hist(1); print((1, @a)); }", "Map type hist_t cannot exist inside a tuple."},
	/* calls */
	{"begin { @a = lhist(1, 2); }", "lhist() requires 4 arguments (2 provided)"},
	{"begin { exit(1, 2); }", "exit() takes up to one argument (2 provided)"},
	{"begin { printf(); }", "printf() requires at least one argument (0 provided)"},
	{"begin { @a = hist(1, 6); }", "hist: bits 6 must be 0..5"},
	{"begin { @a = lhist(1, 10, 5, 1); }", "lhist() min must be less than max"},
	{"begin { @a = tseries(1, 0, 5); }", "tseries() interval_ns must be >= 1"},
	{"begin { exit(\"x\"); }", "exit() only supports int arguments (string provided)"},
	{"begin { $a = \"x\"; time($a); }", "time() expects a string literal (string provided)"},
	{"begin { printf(\"%d\"); }", "not enough arguments for format string (0 supplied, 1"},
	{"begin { printf(\"x\", 1); }", "too many arguments for format string (1 supplied, 0"},
	{"begin { printf(\"%d\", \"x\"); }",
	 "unsupported format specifier for type 'string[2]': d"},
	{"begin { printf(\"%f\", 1); }", "unsupported format specifier: f"},
	{"begin { printf(\"%r\", 1); }", "unsupported format specifier for type 'int8': r"},
	{"kprobe:f { kstack(5000); }", "limit shouldn't exceed 1024, 5000 given"},
	{"kprobe:f { kstack(fast); }", "Error parsing stack mode"},
	{"begin { $a = nsecs(later); }", "Invalid timestamp mode: later"},
	{"begin { $a = pid(here); }", "Invalid PID namespace mode: here"},
	{"begin { $a = pton(\"1.2\"); }", "pton() expects a valid IPv4/IPv6 address, got 1.2"},
	{"kprobe:f { $a = reg(\"zz\"); }", "'zz' is not a valid register"},
	{"begin { fail(\"no %s %d\", \"luck\", 3); }", "ERROR: no luck 3"},
	{"begin { static_assert(sizeof(uint8) == 2, \"odd\"); }", "ERROR: odd"},
	{"begin { unroll(101) { } }", "unroll maximum value is 100"},
	{"begin { unroll(0) { } }", "unroll minimum value is 1"},
	/* probes */
	{"begin { print(arg0); }",
	 "The arg0 builtin can only be used with 'kprobes', 'uprobes' and 'usdt' probes"},
	{"kprobe:f { print(retval); }", "The retval builtin can only be used with 'kretprobe'"},
	{"begin { print(args); }", "The args builtin can only be used with"},
	{"tracepoint:sched:sched_one { print(ctx); }", "Use args instead of ctx in tracepoint"},
	{"begin { $a = reg(\"ip\"); }", "reg can not be used with \"begin\" probes"},
	{"kprobe:f { for ($i : 0..3) { print(arg0); } }",
	 "'arg0' builtin is not allowed in a for-loop"},
	{"fn f(): int64 { return arg0; }", "Builtin arg0 not supported outside probe"},
	{"begin { system(\"ls\"); }", "system() is an unsafe function being used in safe mode"},
	{"kprobe:f { signal(9); }", "signal() is unsafe. To use you need the --unsafe flag"},
	{"tracepoint:sched:sched_one { override(1); }", "override() can only be used inside"},
	/* flow */
	{"begin { break; }", "'break' statement is not allowed in a probe"},
	{"fn f(): void { continue; }", "'continue' statement is not allowed in a function"},
	{"fn f(): int64 { if (pid > 1) { return 1; } }",
	 "Function f is of type int64, cannot return void"},
	{"fn f(): void { return 1; }", "Function f is of type void, cannot return int8"},
	{"begin { return \"x\"; }", "Probe return values can only be integers."},
	{"fn f($a: int8): void { } begin { f(1, 2); }",
	 "Function `f` requires 1 arguments, got only 2"},
	{"fn f($a: int8): void { } begin { f(\"x\"); }",
	 "Expected int8 for argument `a` got string[2]"},
	/* macros: where it is, and where it came from */
	{"macro m($x) { $x = \"s\"; } begin { $a = 1; m($a); }", "stdin:1:43-48: ERROR: expanded"},
};

/* On a kernel that has the least. */
static const struct row bare[] = {
	/* features */
	{"begin { @x[1] = 1; for ($kv : @x) { } }",
	 "Missing required kernel feature: for_each_map_elem"},
	{"begin { @a = count(); $b = @a; }",
	 "Missing required kernel feature: map_lookup_percpu_elem"},
	{"begin { $a = nsecs(tai); }", "Kernel does not support tai timestamp"},
};

/* Accepted, with a warning. */
static const struct row warned[] = {
	/* warnings */
	{"begin { let $x; print($x); $x = 1; }", "Variable used before it was assigned: $x"},
	{"begin { let $x: int8; }", "Variable $x was never assigned to."},
	{"let @a = hash(5); begin { }", "Unused map: @a"},
	{"begin { return; print(1); }", "stdin:1:17-26: WARNING: Unreachable statement."},
	{"begin { exit(); print(1); }", "WARNING: Unreachable statement."},
	{"begin { nsecs; }", "Return value discarded."},
	{"begin { $a = 1; while ($a < 5) { $a++; } }", "While loops are deprecated"},
	{"begin { $a = (int64)1; $b = (uint64)2; $c = $a / $b; }",
	 "signed operands for '/' can lead to undefined behavior"},
	{"begin { $a = (int64)1; $b = (uint64)2; $c = $a + $b; }",
	 "Expression of type: uint64 being cast to type: int64"},
	{"begin { $a = (int64)(int64)1; }",
	 "Unnecessary cast: expression is already of type int64"},
	{"begin { $a = (int8 *)0; $b = (int16 *)0; if ($a == $b) { } }",
	 "comparison of distinct pointer types: int8, int16"},
	{"begin { @x = 1; $i = 0; while ($i < 5) { $i++; print(@x); } }", "'print()' in a loop"},
	{"kprobe:f { $a = str(arg0, 100000); }", "is too long and will be shortened"},
};

static void check_rows(const struct row *row, size_t n, unsigned int flags, bool ok)
{
	for (; n; row++, n--) {
		struct check_run r;

		check_run(&r, row->program, flags);
		test_result(r.ok == ok && strstr(r.text.p, row->text), __FILE__, __LINE__,
			    "%s: expected \"%s\", found \"%s\"", row->program, row->text, r.text.p);
		check_run_done(&r);
	}
}

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

TEST(errors)
{
	check_rows(bad, COUNT(bad), 0, false);
}

TEST(errors_of_an_old_kernel)
{
	check_rows(bare, COUNT(bare), RUN_BARE, false);
}

TEST(warnings)
{
	check_rows(warned, COUNT(warned), 0, true);
}

TEST(unsafe)
{
	static const struct row rows[] = {
		{"kprobe:f { signal(9); }", "\n"},
		{"kprobe:f { system(\"ls\"); }", "\n"},
		{"kprobe:f { override(1); }", "\n"},
	};

	check_rows(rows, COUNT(rows), RUN_UNSAFE, true);
}

/* Programs of every kind that must pass without a word. */
static const char *const good[] = {
	"begin { printf(\"%d %s %x %c %p\\n\", 1, \"a\", 2, 65, 3); }",
	"kprobe:f,kprobe:func_1 { @[probe] = count(); }",
	("kprobe:f { @start[tid] = nsecs; } "
	 "kretprobe:f /@start[tid]/ { @ns = hist(nsecs - @start[tid]); delete(@start[tid]); }"),
	"tracepoint:syscalls:sys_enter_openat { printf(\"%s %s\\n\", comm, str(args.filename)); }",
	"interval:s:1 { print(@x); clear(@x); } kprobe:f { @x[comm] = count(); }",
	"begin { @a[1, \"x\"] = 1; for ($kv : @a) { printf(\"%d %d\\n\", $kv.0.0, $kv.1); } }",
	"begin { $x = (1, (2, \"a\")); printf(\"%s\", $x.1.1); }",
	"begin { @a[1] = 2; if (has_key(@a, 1)) { print(len(@a)); } }",
	"fn add($a: int64, $b: int64): int64 { return $a + $b; } begin { print(add(1, 2)); }",
	"kprobe:f { if (str(arg0) == \"abc\") { exit(); } }",
	"kprobe:f { if (strerror(2) == \"abc\") { exit(); } }",
	"begin { $a = -1; $a++; --$a; @b++; @c[1]--; }",
	"kprobe:f { @[kstack, ustack(3)] = count(); }",
	"uprobe:/bin/sh:readline { printf(\"%r\", buf(arg0, 5)); }",
};

TEST(accepted)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct check_run r;

		check_run(&r, good[i], 0);
		test_result(r.ok && !strstr(r.text.p, "ERROR"), __FILE__, __LINE__, "%s: %s",
			    good[i], r.text.p);
		check_run_done(&r);
	}
}
