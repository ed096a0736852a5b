/* SPDX-License-Identifier: Apache-2.0 */
#include "event/names.h"

#include "base/macro.h"
#include "catalog/wire/event.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>

const struct name names_open[] = {
	{O_CREAT, "O_CREAT"},	      {O_EXCL, "O_EXCL"},	  {O_NOCTTY, "O_NOCTTY"},
	{O_TRUNC, "O_TRUNC"},	      {O_APPEND, "O_APPEND"},	  {O_NONBLOCK, "O_NONBLOCK"},
	{O_SYNC, "O_SYNC"},	      {O_DIRECT, "O_DIRECT"},	  {O_TMPFILE, "O_TMPFILE"},
	{O_DIRECTORY, "O_DIRECTORY"}, {O_NOFOLLOW, "O_NOFOLLOW"}, {O_NOATIME, "O_NOATIME"},
	{O_CLOEXEC, "O_CLOEXEC"},     {O_PATH, "O_PATH"},	  {0, NULL},
};

const struct name names_clone[] = {
	{CLONE_NEWNS, "CLONE_NEWNS"},
	{CLONE_NEWCGROUP, "CLONE_NEWCGROUP"},
	{CLONE_NEWUTS, "CLONE_NEWUTS"},
	{CLONE_NEWIPC, "CLONE_NEWIPC"},
	{CLONE_NEWUSER, "CLONE_NEWUSER"},
	{CLONE_NEWPID, "CLONE_NEWPID"},
	{CLONE_NEWNET, "CLONE_NEWNET"},
	{CLONE_VFORK, "CLONE_VFORK"},
	{CLONE_PARENT, "CLONE_PARENT"},
	{CLONE_FILES, "CLONE_FILES"},
	{0, NULL},
};

const struct name names_ns[] = {
	{CLONE_NEWNS, "mnt"},
	{CLONE_NEWCGROUP, "cgroup"},
	{CLONE_NEWUTS, "uts"},
	{CLONE_NEWIPC, "ipc"},
	{CLONE_NEWUSER, "user"},
	{CLONE_NEWPID, "pid"},
	{CLONE_NEWNET, "net"},
	{0x80, "time"},
	{CLONE_FS, "fs"},
	{CLONE_FILES, "files"},
	{0, NULL},
};

const struct name names_file_bit[] = {
	{WIRE_FILE_MEMFD, "memfd"},
	{WIRE_FILE_DELETED, "deleted"},
	{WIRE_FILE_UPPER, "upper"},
	{WIRE_FILE_TMPFS, "tmpfs"},
	{WIRE_FILE_CREATED, "created"},
	{WIRE_FILE_SETID, "setid"},
	{0, NULL},
};

const struct name names_ptrace[] = {
	{PTRACE_TRACEME, "TRACEME"},
	{PTRACE_PEEKTEXT, "PEEKTEXT"},
	{PTRACE_PEEKDATA, "PEEKDATA"},
	{PTRACE_PEEKUSER, "PEEKUSER"},
	{PTRACE_POKETEXT, "POKETEXT"},
	{PTRACE_POKEDATA, "POKEDATA"},
	{PTRACE_POKEUSER, "POKEUSER"},
	{PTRACE_CONT, "CONT"},
	{PTRACE_KILL, "KILL"},
	{PTRACE_SINGLESTEP, "SINGLESTEP"},
	{PTRACE_ATTACH, "ATTACH"},
	{PTRACE_DETACH, "DETACH"},
	{PTRACE_SYSCALL, "SYSCALL"},
	{PTRACE_SETOPTIONS, "SETOPTIONS"},
	{PTRACE_GETEVENTMSG, "GETEVENTMSG"},
	{PTRACE_GETSIGINFO, "GETSIGINFO"},
	{PTRACE_SETSIGINFO, "SETSIGINFO"},
	{PTRACE_PEEKSIGINFO, "PEEKSIGINFO"},
	{PTRACE_GETSIGMASK, "GETSIGMASK"},
	{PTRACE_SETSIGMASK, "SETSIGMASK"},
	{PTRACE_SECCOMP_GET_FILTER, "SECCOMP_GET_FILTER"},
	{PTRACE_SECCOMP_GET_METADATA, "SECCOMP_GET_METADATA"},
	{PTRACE_GET_SYSCALL_INFO, "GET_SYSCALL_INFO"},
#ifdef __x86_64__
	{PTRACE_GETREGS, "GETREGS"},
	{PTRACE_SETREGS, "SETREGS"},
	{PTRACE_GETFPREGS, "GETFPREGS"},
	{PTRACE_SETFPREGS, "SETFPREGS"},
#endif
	{PTRACE_GETREGSET, "GETREGSET"},
	{PTRACE_SETREGSET, "SETREGSET"},
	{PTRACE_SEIZE, "SEIZE"},
	{PTRACE_INTERRUPT, "INTERRUPT"},
	{PTRACE_LISTEN, "LISTEN"},
	{0, NULL},
};

const struct name names_bpf[] = {
	{BPF_MAP_CREATE, "MAP_CREATE"},
	{BPF_MAP_LOOKUP_ELEM, "MAP_LOOKUP_ELEM"},
	{BPF_MAP_UPDATE_ELEM, "MAP_UPDATE_ELEM"},
	{BPF_MAP_DELETE_ELEM, "MAP_DELETE_ELEM"},
	{BPF_MAP_GET_NEXT_KEY, "MAP_GET_NEXT_KEY"},
	{BPF_PROG_LOAD, "PROG_LOAD"},
	{BPF_OBJ_PIN, "OBJ_PIN"},
	{BPF_OBJ_GET, "OBJ_GET"},
	{BPF_PROG_ATTACH, "PROG_ATTACH"},
	{BPF_PROG_DETACH, "PROG_DETACH"},
	{BPF_PROG_TEST_RUN, "PROG_TEST_RUN"},
	{BPF_PROG_GET_NEXT_ID, "PROG_GET_NEXT_ID"},
	{BPF_MAP_GET_NEXT_ID, "MAP_GET_NEXT_ID"},
	{BPF_PROG_GET_FD_BY_ID, "PROG_GET_FD_BY_ID"},
	{BPF_MAP_GET_FD_BY_ID, "MAP_GET_FD_BY_ID"},
	{BPF_MAP_LOOKUP_AND_DELETE_ELEM, "MAP_LOOKUP_AND_DELETE_ELEM"},
	{BPF_BTF_GET_NEXT_ID, "BTF_GET_NEXT_ID"},
	{BPF_MAP_LOOKUP_BATCH, "MAP_LOOKUP_BATCH"},
	{BPF_MAP_LOOKUP_AND_DELETE_BATCH, "MAP_LOOKUP_AND_DELETE_BATCH"},
	{BPF_MAP_UPDATE_BATCH, "MAP_UPDATE_BATCH"},
	{BPF_MAP_DELETE_BATCH, "MAP_DELETE_BATCH"},
	{BPF_LINK_GET_FD_BY_ID, "LINK_GET_FD_BY_ID"},
	{BPF_LINK_GET_NEXT_ID, "LINK_GET_NEXT_ID"},
	{BPF_ENABLE_STATS, "ENABLE_STATS"},
	{BPF_OBJ_GET_INFO_BY_FD, "OBJ_GET_INFO_BY_FD"},
	{BPF_PROG_QUERY, "PROG_QUERY"},
	{BPF_RAW_TRACEPOINT_OPEN, "RAW_TRACEPOINT_OPEN"},
	{BPF_BTF_LOAD, "BTF_LOAD"},
	{BPF_BTF_GET_FD_BY_ID, "BTF_GET_FD_BY_ID"},
	{BPF_TASK_FD_QUERY, "TASK_FD_QUERY"},
	{BPF_MAP_FREEZE, "MAP_FREEZE"},
	{BPF_LINK_CREATE, "LINK_CREATE"},
	{BPF_LINK_UPDATE, "LINK_UPDATE"},
	{BPF_LINK_DETACH, "LINK_DETACH"},
	{BPF_ITER_CREATE, "ITER_CREATE"},
	{BPF_PROG_BIND_MAP, "PROG_BIND_MAP"},
	{36, "TOKEN_CREATE"},
	{0, NULL},
};

const struct name names_protocol[] = {
	{IPPROTO_ICMP, "icmp"},	   {IPPROTO_TCP, "tcp"},     {IPPROTO_UDP, "udp"},
	{IPPROTO_ICMPV6, "icmp6"}, {IPPROTO_SCTP, "sctp"},   {IPPROTO_UDPLITE, "udplite"},
	{IPPROTO_RAW, "raw"},	   {IPPROTO_MPTCP, "mptcp"}, {0, NULL},
};

const struct name names_family[] = {
	{AF_UNIX, "unix"},
	{AF_INET, "inet"},
	{AF_AX25, "ax25"},
	{AF_INET6, "inet6"},
	{AF_KEY, "key"},
	{AF_NETLINK, "netlink"},
	{AF_PACKET, "packet"},
	{AF_RDS, "rds"},
	{AF_CAN, "can"},
	{AF_TIPC, "tipc"},
	{AF_BLUETOOTH, "bluetooth"},
	{AF_ALG, "alg"},
	{AF_VSOCK, "vsock"},
	{44, "xdp"}, /* AF_XDP */
	{0, NULL},
};

const struct name names_sock_type[] = {
	{SOCK_STREAM, "stream"},
	{SOCK_DGRAM, "dgram"},
	{SOCK_RAW, "raw"},
	{SOCK_RDM, "rdm"},
	{SOCK_SEQPACKET, "seqpacket"},
	{SOCK_DCCP, "dccp"},
	{SOCK_PACKET, "packet"},
	{0, NULL},
};

const struct name names_sock_bit[] = {
	{WIRE_SOCK_SERVER, "server"},
	{WIRE_SOCK_CONNECTED, "connected"},
	{WIRE_SOCK_ADDRESSED, "addressed"},
	{WIRE_SOCK_IS_SOCKET, "socket"},
	{0, NULL},
};

/* Bit n of a capability set: include/uapi/linux/capability.h */
static const char *const caps[] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
};

const char *names_find(const struct name *table, uint64_t value)
{
	for (; table->name; table++)
		if (table->value == value)
			return table->name;
	return NULL;
}

const char *name_of_errno(int err)
{
	/* results that the kernel means for itself; a signal's restart shows them */
	switch (err) {
	case 512:
	case 513:
	case 514:
	case 516:
		return "EINTR";
	default:
		return strerrorname_np(err);
	}
}

const char *name_of_signal(int sig)
{
	return sigabbrev_np(sig);
}

const char *name_of_cap(unsigned int bit)
{
	return bit < ELEMENTS(caps) ? caps[bit] : NULL;
}
