/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fd.* of sockets.
 *
 * A record has our end and theirs; who is the server is one bit (WIRE_SOCK_SERVER).  A
 * socket that listens, or was bound, and has no peer has a server's address alone.  Without a
 * peer and without that bit there is no client and no server, only our own address.
 *
 * Addresses are IPv6 here, IPv4 ones mapped.  Fields without a side (fd.ip, fd.port, fd.net)
 * have both ends.
 */
#include "event/rule/field.h"
#include "event/rule/hosts.h"

#include "base/macro.h"

#include <netinet/in.h>
#include <sys/socket.h>

struct side {
	uint8_t ip[16];
	uint16_t port;
};

struct sides {
	struct side client, server, ours, theirs;
	bool has_peer;
	bool is_server; /* our end */
};

static void set_side(struct side *to, const struct wire_sock *s, const __u8 *address, uint16_t port)
{
	if (s->family == AF_INET) {
		memset(to->ip, 0, 10);
		memset(to->ip + 10, 0xff, 2);
		memcpy(to->ip + 12, address, 4);
	} else {
		memcpy(to->ip, address, 16);
	}
	to->port = port;
}

/* False: it has no addresses. */
static bool sides_of(const struct rule_event *e, struct sides *ret)
{
	static const uint8_t none[16];
	const struct wire_sock *s = sock_of(e);

	if (!s || s->head.kind == EV_SOCKET || (s->family != AF_INET && s->family != AF_INET6))
		return false;
	if (s->head.kind == EV_DUP && !(s->bits & WIRE_SOCK_IS_SOCKET))
		return false;
	set_side(&ret->ours, s, s->saddr, s->sport);
	set_side(&ret->theirs, s, s->daddr, s->dport);
	ret->has_peer = s->dport || memcmp(s->daddr, none, s->family == AF_INET ? 4 : 16) != 0;
	ret->is_server = s->bits & WIRE_SOCK_SERVER;
	ret->server = ret->is_server ? ret->ours : ret->theirs;
	ret->client = ret->is_server ? ret->theirs : ret->ours;
	return true;
}

static bool set_ip(struct rule_value *v, const struct side *s)
{
	memcpy(v->ip[0], s->ip, sizeof(s->ip));
	v->n = 1;
	return true;
}

static bool set_port(struct rule_value *v, const struct side *s)
{
	v->port[0] = s->port;
	v->n = 1;
	return set_number(v, s->port);
}

static void print_side(const struct side *s, struct buf *to)
{
	struct rule_value v = {.type = RT_IP};

	set_ip(&v, s);
	rule_value_print(&v, to);
	buf_printf(to, ":%u", s->port);
}

bool sock_name(const struct rule_event *e, struct rule_value *v)
{
	const struct wire_sock *s = sock_of(e);
	struct sides sides;
	struct buf b = {0};

	if (!s)
		return false;
	if (!sides_of(e, &sides))
		return s->family == AF_UNIX && s->head.kind != EV_SOCKET &&
		       set_known(v, record_str(s, s->path));
	if (!sides.has_peer) {
		print_side(&sides.ours, &b);
		return set_text(v, field_keep(e, &b));
	}
	print_side(&sides.client, &b);
	buf_puts(&b, "->");
	print_side(&sides.server, &b);
	return set_text(v, field_keep(e, &b));
}

/* --- one side */

FIELD(fd_cip)
{
	struct sides s;

	return sides_of(e, &s) && s.has_peer && set_ip(v, &s.client);
}
FIELD(fd_sip)
{
	struct sides s;

	return sides_of(e, &s) && (s.has_peer || s.is_server) && set_ip(v, &s.server);
}
FIELD(fd_lip)
{
	struct sides s;

	return sides_of(e, &s) && s.has_peer && set_ip(v, &s.ours);
}
FIELD(fd_rip)
{
	struct sides s;

	return sides_of(e, &s) && s.has_peer && set_ip(v, &s.theirs);
}
FIELD(fd_cnet)
{
	return field_fd_cip(e, f, v);
}
FIELD(fd_snet)
{
	return field_fd_sip(e, f, v);
}
FIELD(fd_lnet)
{
	return field_fd_lip(e, f, v);
}
FIELD(fd_rnet)
{
	return field_fd_rip(e, f, v);
}
FIELD(fd_cport)
{
	struct sides s;

	return sides_of(e, &s) && s.has_peer && set_port(v, &s.client);
}
FIELD(fd_sport)
{
	struct sides s;

	return sides_of(e, &s) && (s.has_peer || s.is_server) && set_port(v, &s.server);
}
FIELD(fd_lport)
{
	struct sides s;

	return sides_of(e, &s) && s.has_peer && set_port(v, &s.ours);
}
FIELD(fd_rport)
{
	struct sides s;

	return sides_of(e, &s) && s.has_peer && set_port(v, &s.theirs);
}

/* --- both */

FIELD(fd_ip)
{
	struct sides s;

	if (!sides_of(e, &s))
		return false;
	set_ip(v, &s.ours);
	if (s.has_peer) {
		memcpy(v->ip[1], s.theirs.ip, sizeof(s.theirs.ip));
		v->n = 2;
	}
	return true;
}
FIELD(fd_net)
{
	return field_fd_ip(e, f, v);
}
FIELD(fd_port)
{
	struct sides s;

	if (!sides_of(e, &s))
		return false;
	set_port(v, &s.ours);
	if (s.has_peer) {
		v->port[1] = s.theirs.port;
		v->n = 2;
	}
	return true;
}

/*
 * Names: of what is known of them, the first that the address has.  Conditions look the other
 * way, from the name that a rule has to its addresses (eval.c).
 */
static bool ip_name(const struct rule_event *e, const struct rule_field_ref *f, field_fn *ip,
		    struct rule_value *v)
{
	return e->hosts && ip(e, f, v) && set_known(v, hosts_name(e->hosts, v->ip[0]));
}

FIELD(fd_cip_name)
{
	return ip_name(e, f, field_fd_cip, v);
}
FIELD(fd_sip_name)
{
	return ip_name(e, f, field_fd_sip, v);
}
FIELD(fd_lip_name)
{
	return ip_name(e, f, field_fd_lip, v);
}
FIELD(fd_rip_name)
{
	return ip_name(e, f, field_fd_rip, v);
}

/* --- the socket */

static const struct wire_sock *socket_of(const struct rule_event *e)
{
	const struct wire_sock *s = sock_of(e);

	return s && s->head.kind == EV_DUP && !(s->bits & WIRE_SOCK_IS_SOCKET) ? NULL : s;
}

FIELD(fd_l4proto)
{
	const struct wire_sock *s = socket_of(e);

	if (!s)
		return false;
	if (s->family != AF_INET && s->family != AF_INET6)
		return set_text(v, STR("<NA>"));
	switch (s->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_MPTCP:
		return set_text(v, STR("tcp"));
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return set_text(v, STR("udp"));
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return set_text(v, STR("icmp"));
	case IPPROTO_RAW:
		return set_text(v, STR("raw"));
	default:
		return set_text(v, s->type == SOCK_RAW ? STR("raw") : STR("<NA>"));
	}
}
FIELD(fd_sockfamily)
{
	const struct wire_sock *s = socket_of(e);

	if (s && (s->family == AF_INET || s->family == AF_INET6))
		return set_text(v, STR("ip"));
	return s && s->family == AF_UNIX && set_text(v, STR("unix"));
}
FIELD(fd_is_server)
{
	const struct wire_sock *s = socket_of(e);

	return s && set_number(v, !!(s->bits & WIRE_SOCK_SERVER));
}
FIELD(fd_connected)
{
	const struct wire_sock *s = socket_of(e);

	return s && set_number(v, !!(s->bits & WIRE_SOCK_CONNECTED));
}
FIELD(fd_name_changed)
{
	const struct wire_sock *s = socket_of(e);

	return s && set_number(v, !!(s->bits & WIRE_SOCK_ADDRESSED));
}
