/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Code that runs: from a verified program to a function that can be called.
 *
 *	vm_prog → verify() → code_make(): decoded for the interpreter, or machine code
 *
 * A program runs on a thread of the caller's, "on" a cpu and a task that the caller names:
 * struct vm_run is that, and helpers find it by vm_current.  Registers, pointers and numbers
 * are the machine's own: a pointer of a program is a pointer of this process.  Contexts are
 * laid out as user programs see them (struct __sk_buff, xdp_md, …), but for pointers that those
 * squeeze into 32 bits: loads of such fields become loads from struct vm_run (ctx.def).
 */
#pragma once

#include "runtime/vm/map/map.h"
#include "runtime/vm/prog.h"
#include "runtime/vm/verify/verify.h"

enum vm_engine { VM_INTERP, VM_JIT };

/* A helper or kfunc: what r1 … r5 hold, as the machine's calling convention passes them. */
typedef uint64_t (*vm_call_fn)(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e);

/* Who a program runs for.  Filled by a hook; what is not known is 0. */
struct vm_task {
	uint32_t pid, tid; /* pid: of the process (tgid in the kernel's terms) */
	uint32_t uid, gid, ppid;
	char comm[16];
	uint64_t start_ns, cgroup; /* CLOCK_BOOTTIME; id of its cgroup2 */
	bool is_self;		   /* memory is this process's own (tests) */
};

struct vm_code;
struct helper_memory;

/* A run's surroundings; on the caller's stack, zeroed, then filled. */
struct vm_run {
	const struct vm_code *code; /* what runs; tail calls change it */
	const struct vm_task *task; /* NULL: nobody */
	void *ctx;
	unsigned int cpu;
	/* XDP, TC, socket filters: the packet; helpers move and replace it */
	uint8_t *data, *data_end, *data_meta;
	void *packet;			    /* the owner's struct (packet.h) */
	const struct helper_memory *memory; /* helper/helper.h */
	uint64_t now_ns;		    /* what bpf_ktime_get_ns() says; 0: the clock */
	uint64_t args[6];		    /* probe arguments and the like, by hook */
	unsigned int n_args;		    /* how many of them bpf_get_func_arg() gives */
	uint64_t func_ret, func_ip, cookie; /* of the function, of the attachment */
	/* where bpf_trace_printk() and streams write a line to; NULL: standard error */
	void (*print)(struct vm_run *run, const char *text, size_t n);
	void *print_ctx;
	unsigned int tail_calls, depth;
	/* state of helpers */
	int32_t redirect_ifindex;
	uint64_t redirect_flags;
	/*
	 * bpf_throw(): not NULL behind a helper that calls back: the callback threw.  The engine
	 * leaves as if it had thrown itself (code_insn.call says where to ask), with `thrown`.
	 */
	void *unwind;
	uint64_t thrown;	 /* its cookie */
	void *landing;		 /* machine code's own: where it unwinds to */
	char *stack, *stack_end; /* what is left for frames of functions (512 B each) */
	/* checking mode: called before each instruction by the interpreter */
	void (*check)(struct vm_run *run, uint32_t insn, const uint64_t regs[11]);
	void *check_ctx;
	uint64_t insns; /* interpreter: counted if has_count */
	bool has_count;
	char failure[160]; /* what stopped the run: "stack overflow"; "" */
};
extern _Thread_local struct vm_run *vm_current;

struct code_options {
	enum vm_engine engine;
	struct vm_map **maps; /* of object.maps; borrowed for as long as the code */
	bool is_unverified;   /* `verified` is NULL: run as it is (conformance tests); never for
				 users' programs without being told */
};

/*
 * Make program `prog` of the object runnable.  `verified`: what verify() said, is_ok.
 * -ENOTSUP: a helper or kfunc that the runtime lacks (`why` names it), or no JIT for this
 * machine.  The object must outlive the code.
 */
int code_make(const struct vm_object *o, uint32_t prog, const struct verify_result *verified,
	      const struct code_options *options, struct vm_code **ret, char *why, size_t room);
void code_free(struct vm_code *c); /* NULL is fine */

/* Run it: r1 = ctx, r2 = second (mem_size); r0. */
uint64_t code_run(const struct vm_code *c, struct vm_run *run, void *ctx, uint64_t second);
/* Call back a function of the program that runs, by the value that `ldimm64 FUNC` gave. */
uint64_t code_callback(uint64_t function, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
		       uint64_t e);
/* The same when no program runs: a timer's callback, by the thread that keeps time. */
void code_run_callback(const struct vm_code *c, struct vm_run *run, uint64_t function,
		       const uint64_t args[3]);
/* Machine code, for disassemblers; n 0: none. */
struct str code_machine(const struct vm_code *c);

/* --- what engines are made of (code.c, interp.c, jit/) */

/*
 * One decoded instruction: as insn.def says, operands unpacked, wide ones in one slot, jumps to
 * slots, helpers to addresses.  Contexts' loads are already those of struct vm_run.
 */
struct code_insn {
	uint16_t id; /* enum insn_id */
	uint8_t dst, src;
	int32_t off;	/* of memory; jumps: slot that it goes to */
	uint64_t imm;	/* sign-extended; WIDE: all 64 bits, an address; CALL: vm_call_fn */
	uint32_t from;	/* instruction of the program it was */
	uint8_t access; /* enum verify_access, of loads, stores, atomics: ARENA, BTF; else NONE */
	uint8_t call;	/* enum code_call, of CALL and CALL_KFUNC */
	uint16_t go;	/* interpreter's own */
};
/*
 * What else is where, beyond insn.def's fields:
 *   CALL		off: the helper's number
 *   CALL_KFUNC	off: index into object.kfuncs
 *   CALL_LOCAL	off: slot that it goes to
 *   JA, JA_LONG, MAY_GOTO and comparisons: off: slot that they go to
 *   WIDE_FUNC	off: the function's slot; imm: address of that slot (the interpreter's value)
 *   WIDE_MAP*	off: index into object.maps; imm: struct vm_map *, or the address in its value
 */

/* Calls that an engine does itself, or looks after. */
enum code_call {
	CODE_CALL,	 /* only call imm */
	CODE_CALL_BACK,	 /* it takes a callback: look at run->unwind behind it */
	CODE_CALL_TAIL,	 /* bpf_tail_call: imm is 0 */
	CODE_CALL_THROW, /* bpf_throw: imm is 0 */
};

/* `imm` of a load that acquires. */
enum { CODE_LOAD_ACQ = 0x100 };

/* Limits, as the kernel's. */
enum {
	CODE_FRAMES_MAX = 8, /* functions that are under way at once */
	CODE_TAIL_CALLS_MAX = 33,
	CODE_MAY_GOTO_MAX = 8 << 20, /* in each call of a function */
	CODE_FRAME_BYTES = 512,
	/* frames of the entry, of functions and callbacks, and of a handler */
	CODE_STACK_BYTES = (CODE_FRAMES_MAX + 1) * CODE_FRAME_BYTES,
};

struct vm_code {
	const struct vm_object *object;
	const struct vm_prog *prog;
	enum vm_engine engine;
	struct code_insn *insns; /* owned */
	uint32_t n;
	const void *const *labels; /* interpreter: for its threading, may be NULL */
	uint32_t *funcs;	   /* slots where functions begin, ascending; owned */
	uint32_t n_funcs;
	uint32_t *stack; /* bytes of each function's frame, rounded up to 16; owned */
	struct vm_map **maps;
	bool has_timers;  /* some of its functions are called by timers of its maps */
	uint64_t arena;	  /* upper half of the arena's addresses (see below); 0: it has none */
	uint32_t handler; /* slot of the function that handles exceptions; UINT32_MAX: none */
	void *machine;	  /* JIT: entry; mapped, never writable and executable at once */
	size_t machine_n, mapped_n;
	uint32_t *machine_at; /* slot → offset in machine; owned, NULL */
};

/*
 * Arenas: map->values is the window in this process, all of it and 32 KiB to both sides mapped,
 * and does not cross a multiple of 4 GiB.  A slot with ACCESS_ARENA accesses code.arena |
 * the register's low half, + off.  CAST_KERN keeps the low half, CAST_USER puts code.arena
 * above it but leaves 0 as it is.
 */

/*
 * For engines.  Enter another program from a tail call: r0.  What LD_ABS and LD_IND load from
 * run's packet: false: outside, the program ends with 0.
 */
uint64_t code_enter(const struct vm_code *c, struct vm_run *run, uint64_t r1, uint64_t r2);
bool code_packet_load(const struct vm_run *run, int64_t off, unsigned int bytes, uint64_t *ret);
/* A load through a pointer that may be wrong (ACCESS_BTF): 0 then. */
uint64_t code_safe_load(uint64_t from, unsigned int bytes, bool is_signed);
/* Call the function at `slot` as a callback. */
uint64_t interp_callback(const struct vm_code *c, struct vm_run *run, const struct code_insn *slot,
			 const uint64_t args[5]);
/* Choose labels for the slots: code_make()'s last step for the interpreter. */
void interp_link(struct vm_code *c);

/* Does this machine have one?  What each engine offers to code.c. */
int jit_make(struct vm_code *c); /* 0, -ENOTSUP, -ENOMEM, -EPERM (no executable memory) */
void jit_free(struct vm_code *c);
uint64_t jit_run(const struct vm_code *c, struct vm_run *run, uint64_t r1, uint64_t r2);
uint64_t interp_run(const struct vm_code *c, struct vm_run *run, uint64_t r1, uint64_t r2);
