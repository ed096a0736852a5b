/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with an object is said, and does not hide what is right. */
#include "isa/elf-write.h"
#include "made-extern.h"
#include "made-programs.h"
#include "read.h"
#include "test.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>

/* mov r0, 2; exit */
static const struct bpf_insn two[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 2},
	{.code = BPF_JMP | BPF_EXIT},
};
#define CODE(insns) ((struct str){(const char *)(insns), sizeof(insns)})

/* An object of one section, which is one function, and no symbols. */
static void write_one(const char *section, struct str code, uint16_t machine, struct buf *to)
{
	struct elf_writer w;

	elf_writer_init(&w);
	elf_write_section(&w, section, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, code, 8);
	elf_write_file(&w, machine, to);
	elf_writer_done(&w);
}

static void check_refused(const void *bytes, size_t n, int r, const char *word)
{
	struct read x;

	read_object(&x, bytes, n, NULL);
	CHECK_EQ(x.r, r);
	CHECK_EQ(x.object.progs.n, 0);
	CHECK(strstr(read_said(&x), word));
	read_done(&x);
}

TEST(other_files)
{
	_cleanup_buf_ struct buf file = {0};

	check_refused("", 0, -ENOEXEC, "test.o is no object file");
	check_refused("begin { print(1); }", 19, -ENOEXEC, "is no object file");
	check_refused("\x7f"
		      "ELF\2\2\1\0\0\0\0\0\0\0\0\0",
		      16, -ENOEXEC, "another byte order");
	check_refused("\x7f"
		      "ELF\2\1\1\0\0\0\0\0\0\0\0\0",
		      16, -ENOEXEC, "its head is no object's");
	write_one("xdp", CODE(two), EM_X86_64, &file);
	check_refused(file.p, file.n, -ENOEXEC, "another processor");
}

static void read_one(struct read *x, const char *section, struct str code)
{
	_cleanup_buf_ struct buf file = {0};

	write_one(section, code, EM_BPF, &file);
	read_object(x, file.p, file.n, NULL);
}

TEST(without_symbols)
{
	struct read x;

	read_one(&x, "old", CODE(two));
	CHECK_EQ(x.object.progs.n, 1);
	CHECK_STREQ(x.object.progs.p[0].name, "old");
	CHECK(x.object.progs.p[0].is_unknown);
	CHECK_EQ(x.object.progs.p[0].n_insns, 2);
	read_done(&x);
}

TEST(only_text)
{
	struct read x;

	read_one(&x, ".text", CODE(two));
	CHECK_EQ(x.object.progs.n, 1);
	CHECK(x.object.progs.p[0].is_unknown);
	CHECK_EQ(x.object.progs.p[0].prog_type, BPF_PROG_TYPE_UNSPEC);
	CHECK_STREQ(x.object.license, "");
	read_done(&x);
}

TEST(calls_into_nothing)
{
	static const struct bpf_insn calls[] = {
		{.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = 7},
		{.code = BPF_JMP | BPF_EXIT},
	};
	static const struct bpf_insn names[] = {
		{.code = BPF_LD | BPF_IMM | BPF_DW, .src_reg = BPF_PSEUDO_MAP_IDX, .imm = 1},
		{0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct read x;

	read_one(&x, "xdp", CODE(calls));
	CHECK_EQ(x.r, -EBADMSG);
	CHECK_STREQ(read_said(&x),
		    "ERROR: test.o: function xdp: there is no function where it calls to\n");
	read_done(&x);
	read_one(&x, "xdp", CODE(names));
	CHECK_EQ(x.r, -EBADMSG);
	CHECK(strstr(read_said(&x), "names something that the object has not"));
	read_done(&x);
	read_one(&x, "xdp", (struct str){(const char *)two, 12});
	CHECK_EQ(x.r, -EBADMSG);
	CHECK(strstr(read_said(&x), "ends in the middle of an instruction"));
	read_done(&x);
}

/* Instructions are as they were, even such as end too early: that is the verifier's. */
TEST(instructions_are_not_judged)
{
	static const struct bpf_insn half[] = {
		{.code = BPF_LD | BPF_IMM | BPF_DW},
	};
	struct read x;

	read_one(&x, "xdp", CODE(half));
	CHECK_EQ(x.r, 0);
	CHECK_EQ(x.object.progs.p[0].n_insns, 1);
	read_done(&x);
}

/* --- damage to one that compilers made */

static char *copy_of(const unsigned char *p, size_t n)
{
	char *copy = malloc(n);

	memcpy(copy, p, n);
	return copy;
}

/* The text of `n` bytes, wherever it stands first. */
static char *find(char *p, size_t n, const char *text, size_t text_n)
{
	return memmem(p, n, text, text_n);
}

TEST(externs_of_no_section)
{
	char *bytes = copy_of(made_extern, made_extern_size), *at;
	struct read x;

	/* .ksyms is no more: what was in it is defined nowhere, the settings are fine */
	at = find(bytes, made_extern_size, "\0.ksyms", 8);
	CHECK(at != NULL);
	at[3] = 'X';
	read_object(&x, bytes, made_extern_size, NULL);
	CHECK_EQ(x.r, -EBADMSG);
	CHECK(read_prog(&x, "settings") != NULL);
	CHECK(!read_prog(&x, "functions"));
	CHECK(strstr(read_said(&x), "function functions: kernel_function is called, and defined "
				    "nowhere\n\tkernel_function(0);\n\t~~~~~~~~~~~~~~~~~~\n"));
	read_done(&x);
	free(bytes);
}

TEST(damaged_types)
{
	char *bytes = copy_of(made_programs, made_programs_size), *at;
	struct read x;

	at = find(bytes, made_programs_size, "\x9f\xeb\1\0\x18\0\0\0", 8);
	CHECK(at != NULL);
	at[0] = 0;
	read_object(&x, bytes, made_programs_size, NULL);
	CHECK_EQ(x.r, -EBADMSG);
	CHECK(strstr(read_said(&x), "section \".BTF\" is damaged"));
	CHECK(strstr(read_said(&x), "there are no types for it; compile with -g"));
	/* needs neither types nor maps */
	CHECK(read_prog(&x, "sleeps") != NULL);
	CHECK(!x.object.has_btf);
	read_done(&x);
	free(bytes);
}

/* Cut anywhere: never more than the bytes that there are. */
TEST(cut_short)
{
	struct read x;

	for (size_t n = 0; n < made_programs_size; n += 97) {
		char *bytes = copy_of(made_programs, n + 1);

		read_object(&x, bytes, n, NULL);
		CHECK(x.r == 0 || x.diags.errors);
		read_done(&x);
		free(bytes);
	}
}
