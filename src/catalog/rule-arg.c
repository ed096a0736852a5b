/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments of events, and the names of their numbers as Falco prints them.
 *
 * Flags are printed in the order of their table, which is therefore part of what rules
 * compare with.  (Names and order after
 * falcosecurity/libs, its flags_table.)  An enum prints
 * every name of its value: AF_LOCAL|AF_UNIX.  Values here are the kernel's own, not Falco's
 * translations, so masks tell which bits a name stands for.
 */
#include "catalog/rule-field.h"

#include "base/macro.h"
#include "catalog/catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define F(name)                   \
	{                         \
#name, name, name \
	} /* all its bits are set */
#define BIT(name, bit)             \
	{                          \
		name, (bit), (bit) \
	}
#define IS(name)                   \
	{                          \
#name, name, ~0ull \
	} /* the value is this one */
#define END                \
	{                  \
		NULL, 0, 0 \
	}
#define HIGH(bit) ((uint64_t)(bit) << 32) /* a bit of wire_file.bits */

static const struct rule_name names_open_flags[] = {
	BIT("O_LARGEFILE", 0100000),
	F(O_DIRECTORY),
	F(O_DIRECT),
	F(O_TRUNC),
	{"O_SYNC", O_DSYNC, O_DSYNC}, /* Falco tells both for either bit */
	{"O_SYNC", O_SYNC & ~O_DSYNC, O_SYNC},
	F(O_NONBLOCK),
	F(O_EXCL),
	F(O_DSYNC),
	F(O_APPEND),
	F(O_CREAT),
	{"O_RDWR", O_RDWR, O_ACCMODE},
	{"O_WRONLY", O_WRONLY, O_ACCMODE},
	{"O_RDONLY", O_RDONLY, O_ACCMODE},
	{"O_RDONLY", O_ACCMODE, O_ACCMODE}, /* 3: neither; Falco takes it for this */
	F(O_CLOEXEC),
	BIT("O_TMPFILE", O_TMPFILE & ~O_DIRECTORY),
	BIT("O_F_CREATED", HIGH(WIRE_FILE_CREATED)),
	BIT("FD_UPPER_LAYER", HIGH(WIRE_FILE_UPPER)),
	END,
};

static const struct rule_name names_unlinkat[] = {F(AT_REMOVEDIR), END};
static const struct rule_name names_linkat[] = {F(AT_SYMLINK_FOLLOW), F(AT_EMPTY_PATH), END};
static const struct rule_name names_chownat[] = {F(AT_SYMLINK_NOFOLLOW), F(AT_EMPTY_PATH), END};
static const struct rule_name names_renameat2[] = {
	BIT("RENAME_NOREPLACE", 1),
	BIT("RENAME_EXCHANGE", 2),
	BIT("RENAME_WHITEOUT", 4),
	END,
};
static const struct rule_name names_mount[] = {
	BIT("RDONLY", 1),
	BIT("NOSUID", 2),
	BIT("NODEV", 4),
	BIT("NOEXEC", 8),
	BIT("SYNCHRONOUS", 16),
	BIT("REMOUNT", 32),
	BIT("MANDLOCK", 64),
	BIT("DIRSYNC", 128),
	BIT("NOATIME", 1 << 10),
	BIT("NODIRATIME", 1 << 11),
	BIT("BIND", 1 << 12),
	BIT("MOVE", 1 << 13),
	BIT("REC", 1 << 14),
	BIT("SILENT", 1 << 15),
	BIT("POSIXACL", 1 << 16),
	BIT("UNBINDABLE", 1 << 17),
	BIT("PRIVATE", 1 << 18),
	BIT("SLAVE", 1 << 19),
	BIT("SHARED", 1 << 20),
	BIT("RELATIME", 1 << 21),
	BIT("KERNMOUNT", 1 << 22),
	BIT("I_VERSION", 1 << 23),
	BIT("STRICTATIME", 1 << 24),
	BIT("LAZYTIME", 1 << 25),
	BIT("NOSEC", 1 << 28),
	BIT("BORN", 1 << 29),
	BIT("ACTIVE", 1 << 30),
	BIT("NOUSER", 1u << 31),
	END,
};
static const struct rule_name names_umount[] = {
	BIT("FORCE", 1), BIT("DETACH", 2), BIT("EXPIRE", 4), BIT("NOFOLLOW", 8), END,
};
static const struct rule_name names_memfd[] = {
	BIT("MFD_CLOEXEC", 1),
	BIT("MFD_ALLOW_SEALING", 2),
	BIT("MFD_HUGETLB", 4),
	END,
};
static const struct rule_name names_finit_module[] = {
	BIT("MODULE_INIT_IGNORE_MODVERSIONS", 1),
	BIT("MODULE_INIT_IGNORE_VERMAGIC", 2),
	BIT("MODULE_INIT_COMPRESSED_FILE", 4),
	END,
};
static const struct rule_name names_delete_module[] = {F(O_NONBLOCK), F(O_TRUNC), END};
static const struct rule_name names_faultfd[] = {F(O_NONBLOCK), F(O_CLOEXEC), END};

static const struct rule_name names_clone_flags[] = {
	F(CLONE_FILES),
	F(CLONE_FS),
	F(CLONE_IO),
	F(CLONE_NEWIPC),
	F(CLONE_NEWNET),
	F(CLONE_NEWNS),
	F(CLONE_NEWPID),
	F(CLONE_NEWUTS),
	F(CLONE_PARENT),
	F(CLONE_PARENT_SETTID),
	F(CLONE_PTRACE),
	F(CLONE_SIGHAND),
	F(CLONE_SYSVSEM),
	F(CLONE_THREAD),
	F(CLONE_UNTRACED),
	F(CLONE_VM),
	F(CLONE_NEWUSER),
	F(CLONE_CHILD_CLEARTID),
	F(CLONE_CHILD_SETTID),
	F(CLONE_SETTLS),
	F(CLONE_VFORK),
	F(CLONE_NEWCGROUP),
	END,
};

static const struct rule_name names_mode[] = {
	F(S_IXOTH), F(S_IWOTH), F(S_IROTH), F(S_IXGRP), F(S_IWGRP), F(S_IRGRP), F(S_IXUSR),
	F(S_IWUSR), F(S_IRUSR), F(S_ISVTX), F(S_ISGID), F(S_ISUID), END,
};

static const struct rule_name names_family[] = {
	{"AF_NFC", 39, ~0ull},
	{"AF_ALG", 38, ~0ull},
	{"AF_CAIF", 37, ~0ull},
	{"AF_IEEE802154", 36, ~0ull},
	{"AF_PHONET", 35, ~0ull},
	{"AF_ISDN", 34, ~0ull},
	{"AF_RXRPC", 33, ~0ull},
	{"AF_IUCV", 32, ~0ull},
	{"AF_BLUETOOTH", 31, ~0ull},
	{"AF_TIPC", 30, ~0ull},
	{"AF_CAN", 29, ~0ull},
	{"AF_LLC", 26, ~0ull},
	{"AF_WANPIPE", 25, ~0ull},
	{"AF_PPPOX", 24, ~0ull},
	{"AF_IRDA", 23, ~0ull},
	{"AF_SNA", 22, ~0ull},
	{"AF_RDS", 21, ~0ull},
	{"AF_ATMSVC", 20, ~0ull},
	{"AF_ECONET", 19, ~0ull},
	{"AF_ASH", 18, ~0ull},
	{"AF_PACKET", 17, ~0ull},
	{"AF_ROUTE", 16, ~0ull},
	{"AF_NETLINK", 16, ~0ull},
	{"AF_KEY", 15, ~0ull},
	{"AF_SECURITY", 14, ~0ull},
	{"AF_NETBEUI", 13, ~0ull},
	{"AF_DECnet", 12, ~0ull},
	{"AF_ROSE", 11, ~0ull},
	{"AF_INET6", 10, ~0ull},
	{"AF_X25", 9, ~0ull},
	{"AF_ATMPVC", 8, ~0ull},
	{"AF_BRIDGE", 7, ~0ull},
	{"AF_NETROM", 6, ~0ull},
	{"AF_APPLETALK", 5, ~0ull},
	{"AF_IPX", 4, ~0ull},
	{"AF_AX25", 3, ~0ull},
	{"AF_INET", 2, ~0ull},
	{"AF_LOCAL", 1, ~0ull},
	{"AF_UNIX", 1, ~0ull},
	{"AF_UNSPEC", 0, ~0ull},
	END,
};

static const struct rule_name names_ptrace_request[] = {
#ifdef __x86_64__
	{"PTRACE_SINGLEBLOCK", 33, ~0ull},
	{"PTRACE_SYSEMU_SINGLESTEP", 32, ~0ull},
	{"PTRACE_SYSEMU", 31, ~0ull},
	{"PTRACE_ARCH_PRCTL", 30, ~0ull},
	{"PTRACE_SET_THREAD_AREA", 26, ~0ull},
	{"PTRACE_GET_THREAD_AREA", 25, ~0ull},
	{"PTRACE_OLDSETOPTIONS", 21, ~0ull},
	{"PTRACE_SETFPXREGS", 19, ~0ull},
	{"PTRACE_GETFPXREGS", 18, ~0ull},
	{"PTRACE_SETFPREGS", 15, ~0ull},
	{"PTRACE_GETFPREGS", 14, ~0ull},
	{"PTRACE_SETREGS", 13, ~0ull},
	{"PTRACE_GETREGS", 12, ~0ull},
#endif
	IS(PTRACE_SETSIGMASK),
	IS(PTRACE_GETSIGMASK),
	IS(PTRACE_PEEKSIGINFO),
	IS(PTRACE_LISTEN),
	IS(PTRACE_INTERRUPT),
	IS(PTRACE_SEIZE),
	IS(PTRACE_SETREGSET),
	IS(PTRACE_GETREGSET),
	IS(PTRACE_SETSIGINFO),
	IS(PTRACE_GETSIGINFO),
	IS(PTRACE_GETEVENTMSG),
	IS(PTRACE_SETOPTIONS),
	IS(PTRACE_SYSCALL),
	IS(PTRACE_DETACH),
	IS(PTRACE_ATTACH),
	IS(PTRACE_SINGLESTEP),
	IS(PTRACE_KILL),
	IS(PTRACE_CONT),
	{"PTRACE_POKEUSR", 6, ~0ull},
	IS(PTRACE_POKEDATA),
	IS(PTRACE_POKETEXT),
	{"PTRACE_PEEKUSR", 3, ~0ull},
	IS(PTRACE_PEEKDATA),
	IS(PTRACE_PEEKTEXT),
	IS(PTRACE_TRACEME),
	END,
};

static const struct rule_name names_bpf_cmd[] = {
	IS(BPF_MAP_CREATE),
	IS(BPF_MAP_LOOKUP_ELEM),
	IS(BPF_MAP_UPDATE_ELEM),
	IS(BPF_MAP_DELETE_ELEM),
	IS(BPF_MAP_GET_NEXT_KEY),
	IS(BPF_PROG_LOAD),
	IS(BPF_OBJ_PIN),
	IS(BPF_OBJ_GET),
	IS(BPF_PROG_ATTACH),
	IS(BPF_PROG_DETACH),
	IS(BPF_PROG_TEST_RUN),
	{"BPF_PROG_RUN", BPF_PROG_TEST_RUN, ~0ull},
	IS(BPF_PROG_GET_NEXT_ID),
	IS(BPF_MAP_GET_NEXT_ID),
	IS(BPF_PROG_GET_FD_BY_ID),
	IS(BPF_MAP_GET_FD_BY_ID),
	IS(BPF_OBJ_GET_INFO_BY_FD),
	IS(BPF_PROG_QUERY),
	IS(BPF_RAW_TRACEPOINT_OPEN),
	IS(BPF_BTF_LOAD),
	IS(BPF_BTF_GET_FD_BY_ID),
	IS(BPF_TASK_FD_QUERY),
	IS(BPF_MAP_LOOKUP_AND_DELETE_ELEM),
	IS(BPF_MAP_FREEZE),
	IS(BPF_BTF_GET_NEXT_ID),
	IS(BPF_MAP_LOOKUP_BATCH),
	IS(BPF_MAP_LOOKUP_AND_DELETE_BATCH),
	IS(BPF_MAP_UPDATE_BATCH),
	IS(BPF_MAP_DELETE_BATCH),
	IS(BPF_LINK_CREATE),
	IS(BPF_LINK_UPDATE),
	IS(BPF_LINK_GET_FD_BY_ID),
	IS(BPF_LINK_GET_NEXT_ID),
	IS(BPF_ENABLE_STATS),
	IS(BPF_ITER_CREATE),
	IS(BPF_LINK_DETACH),
	IS(BPF_PROG_BIND_MAP),
	END,
};

/* The same numbers on all architectures that skep knows. */
static const struct rule_name names_signal[] = {
	{"SIGHUP", 1, ~0ull},	{"SIGINT", 2, ~0ull},
	{"SIGQUIT", 3, ~0ull},	{"SIGILL", 4, ~0ull},
	{"SIGTRAP", 5, ~0ull},	{"SIGABRT", 6, ~0ull},
	{"SIGBUS", 7, ~0ull},	{"SIGFPE", 8, ~0ull},
	{"SIGKILL", 9, ~0ull},	{"SIGUSR1", 10, ~0ull},
	{"SIGSEGV", 11, ~0ull}, {"SIGUSR2", 12, ~0ull},
	{"SIGPIPE", 13, ~0ull}, {"SIGALRM", 14, ~0ull},
	{"SIGTERM", 15, ~0ull}, {"SIGSTKFLT", 16, ~0ull},
	{"SIGCHLD", 17, ~0ull}, {"SIGCONT", 18, ~0ull},
	{"SIGSTOP", 19, ~0ull}, {"SIGTSTP", 20, ~0ull},
	{"SIGTTIN", 21, ~0ull}, {"SIGTTOU", 22, ~0ull},
	{"SIGURG", 23, ~0ull},	{"SIGXCPU", 24, ~0ull},
	{"SIGXFSZ", 25, ~0ull}, {"SIGVTALRM", 26, ~0ull},
	{"SIGPROF", 27, ~0ull}, {"SIGWINCH", 28, ~0ull},
	{"SIGIO", 29, ~0ull},	{"SIGPWR", 30, ~0ull},
	{"SIGSYS", 31, ~0ull},	END,
};

/* What the kernel keeps to itself: include/linux/errno.h. */
#define ERESTARTSYS	      512
#define ERESTARTNOINTR	      513
#define ERESTARTNOHAND	      514
#define ENOIOCTLCMD	      515
#define ERESTART_RESTARTBLOCK 516
#define ENOTSUPP	      524

/* Of results: negative. */
#define E(name)                                          \
	{                                                \
#name, (uint64_t) - (int64_t)name, ~0ull \
	}
#define ERRNOS                                                                                     \
	E(EPERM), E(ENOENT), E(ESRCH), E(EINTR), E(EIO), E(ENXIO), E(E2BIG), E(ENOEXEC), E(EBADF), \
		E(ECHILD), E(EAGAIN), E(ENOMEM), E(EACCES), E(EFAULT), E(ENOTBLK), E(EBUSY),       \
		E(EEXIST), E(EXDEV), E(ENODEV), E(ENOTDIR), E(EISDIR), E(EINVAL), E(ENFILE),       \
		E(EMFILE), E(ENOTTY), E(ETXTBSY), E(EFBIG), E(ENOSPC), E(ESPIPE), E(EROFS),        \
		E(EMLINK), E(EPIPE), E(EDOM), E(ERANGE), E(EDEADLK), E(ENAMETOOLONG), E(ENOLCK),   \
		E(ENOSYS), E(ENOTEMPTY), E(ELOOP), E(ENOMSG), E(EIDRM), E(ECHRNG), E(EL2NSYNC),    \
		E(EL3HLT), E(EL3RST), E(ELNRNG), E(EUNATCH), E(ENOCSI), E(EL2HLT), E(EBADE),       \
		E(EBADR), E(EXFULL), E(ENOANO), E(EBADRQC), E(EBADSLT), E(EBFONT), E(ENOSTR),      \
		E(ENODATA), E(ETIME), E(ENOSR), E(ENONET), E(ENOPKG), E(EREMOTE), E(ENOLINK),      \
		E(EADV), E(ESRMNT), E(ECOMM), E(EPROTO), E(EMULTIHOP), E(EDOTDOT), E(EBADMSG),     \
		E(EOVERFLOW), E(ENOTUNIQ), E(EBADFD), E(EREMCHG), E(ELIBACC), E(ELIBBAD),          \
		E(ELIBSCN), E(ELIBMAX), E(ELIBEXEC), E(EILSEQ), E(ERESTART), E(ESTRPIPE),          \
		E(EUSERS), E(ENOTSOCK), E(EDESTADDRREQ), E(EMSGSIZE), E(EPROTOTYPE),               \
		E(ENOPROTOOPT), E(EPROTONOSUPPORT), E(ESOCKTNOSUPPORT), E(EOPNOTSUPP),             \
		E(EPFNOSUPPORT), E(EAFNOSUPPORT), E(EADDRINUSE), E(EADDRNOTAVAIL), E(ENETDOWN),    \
		E(ENETUNREACH), E(ENETRESET), E(ECONNABORTED), E(ECONNRESET), E(ENOBUFS),          \
		E(EISCONN), E(ENOTCONN), E(ESHUTDOWN), E(ETOOMANYREFS), E(ETIMEDOUT),              \
		E(ECONNREFUSED), E(EHOSTDOWN), E(EHOSTUNREACH), E(EALREADY), E(EINPROGRESS),       \
		E(ESTALE), E(EUCLEAN), E(ENOTNAM), E(ENAVAIL), E(EISNAM), E(EREMOTEIO), E(EDQUOT), \
		E(ENOMEDIUM), E(EMEDIUMTYPE), E(ECANCELED), E(ENOKEY), E(EKEYEXPIRED),             \
		E(EKEYREVOKED), E(EKEYREJECTED), E(EOWNERDEAD), E(ENOTRECOVERABLE), E(ERFKILL),    \
		E(EHWPOISON), E(ENOTSUPP), E(ERESTARTSYS), E(ERESTARTNOINTR), E(ERESTARTNOHAND),   \
		E(ENOIOCTLCMD), E(ERESTART_RESTARTBLOCK)
static const struct rule_name names_errno[] = {ERRNOS, END};
static const struct rule_name names_result[] = {{"SUCCESS", 0, 1ull << 63}, ERRNOS, END};

#define CAP(name, bit)                             \
	{                                          \
		name, 1ull << (bit), 1ull << (bit) \
	}
static const struct rule_name names_cap[] = {
	CAP("CAP_CHOWN", 0),
	CAP("CAP_DAC_OVERRIDE", 1),
	CAP("CAP_DAC_READ_SEARCH", 2),
	CAP("CAP_FOWNER", 3),
	CAP("CAP_FSETID", 4),
	CAP("CAP_KILL", 5),
	CAP("CAP_SETGID", 6),
	CAP("CAP_SETUID", 7),
	CAP("CAP_SETPCAP", 8),
	CAP("CAP_LINUX_IMMUTABLE", 9),
	CAP("CAP_NET_BIND_SERVICE", 10),
	CAP("CAP_NET_BROADCAST", 11),
	CAP("CAP_NET_ADMIN", 12),
	CAP("CAP_NET_RAW", 13),
	CAP("CAP_IPC_LOCK", 14),
	CAP("CAP_IPC_OWNER", 15),
	CAP("CAP_SYS_MODULE", 16),
	CAP("CAP_SYS_RAWIO", 17),
	CAP("CAP_SYS_CHROOT", 18),
	CAP("CAP_SYS_PTRACE", 19),
	CAP("CAP_SYS_PACCT", 20),
	CAP("CAP_SYS_ADMIN", 21),
	CAP("CAP_SYS_BOOT", 22),
	CAP("CAP_SYS_NICE", 23),
	CAP("CAP_SYS_RESOURCE", 24),
	CAP("CAP_SYS_TIME", 25),
	CAP("CAP_SYS_TTY_CONFIG", 26),
	CAP("CAP_MKNOD", 27),
	CAP("CAP_LEASE", 28),
	CAP("CAP_AUDIT_WRITE", 29),
	CAP("CAP_AUDIT_CONTROL", 30),
	CAP("CAP_SETFCAP", 31),
	CAP("CAP_MAC_OVERRIDE", 32),
	CAP("CAP_MAC_ADMIN", 33),
	CAP("CAP_SYSLOG", 34),
	CAP("CAP_WAKE_ALARM", 35),
	CAP("CAP_BLOCK_SUSPEND", 36),
	CAP("CAP_AUDIT_READ", 37),
	CAP("CAP_PERFMON", 38),
	CAP("CAP_BPF", 39),
	CAP("CAP_CHECKPOINT_RESTORE", 40),
	END,
};

#define ALL	   (~0ull)
#define K(id)	   KIND_BIT(EV_##id)
#define OPENS	   (K(OPEN) | K(WRITE) | K(CREATE))
#define M(body, m) offsetof(struct body, m)
#define RET	   offsetof(struct wire_head, ret)
#define NO	   0
static const struct rule_arg_info args[] = {
#define RULE_ARG(name, type, raw, class, from, member, kinds, only, format, names) \
	{name, RT_##type, RT_##raw, RC_##class, RAF_##from, member, kinds, only, format, names},
#include "catalog/rule-arg.def"
#undef RULE_ARG
};

const struct rule_arg_info *rule_args(size_t *ret_n)
{
	*ret_n = ELEMENTS(args);
	return args;
}

static bool is_name(struct str s, const char *name)
{
	return s.n && *s.p == *name && !strncmp(s.p, name, s.n) && !name[s.n];
}

const struct rule_arg_info *rule_arg_find(struct str name, unsigned int kind)
{
	for (size_t i = 0; i < ELEMENTS(args); i++) {
		if (!is_name(name, args[i].name))
			continue;
		if (!kind || args[i].kinds >> (kind & 63) & 1)
			return &args[i];
	}
	return NULL;
}

const struct rule_arg_info *rule_arg_next(const struct rule_arg_info *row, unsigned int kind)
{
	for (const struct rule_arg_info *a = row + 1; a < args + ELEMENTS(args); a++)
		if (!strcmp(a->name, row->name) && a->kinds >> (kind & 63) & 1)
			return a;
	return NULL;
}

const struct rule_arg_info *rule_arg_of(const struct wire_head *h, struct str name)
{
	const struct rule_arg_info *a = rule_arg_find(name, h->kind);

	while (a && a->only && strcmp(rule_event_of(h)->name, a->only))
		a = rule_arg_next(a, h->kind);
	return a;
}

static size_t count(const struct rule_name *names)
{
	size_t n = 0;

	while (names && names[n].name)
		n++;
	return n;
}

const struct rule_name *rule_names(const struct rule_field_ref *f, size_t *ret_n)
{
	const struct rule_name *names = NULL;
	const struct rule_arg_info *arg;

	if (f->id == RF_evt_res)
		names = names_result;
	else if (f->id == RF_thread_cap_effective || f->id == RF_thread_cap_permitted ||
		 f->id == RF_thread_cap_inheritable)
		names = names_cap;
	else if (f->id == RF_evt_arg && (arg = rule_arg_find(f->arg, 0)))
		names = arg->names;
	*ret_n = count(names);
	return names;
}

void rule_names_print(const struct rule_name *names, uint64_t value, struct buf *to)
{
	const char *separator = "", *last = NULL;

	for (; names->name; names++) {
		if ((value & names->mask) != names->value || (last && !strcmp(last, names->name)))
			continue;
		buf_puts(to, separator);
		buf_puts(to, names->name);
		separator = "|";
		last = names->name;
	}
}
