/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of connections and sockets: ends, protocols, descriptors.
 *
 * Two structs have addresses.  A connection (struct wire_conn) is told once when it begins and
 * once when it ends; a call's socket (struct wire_sock) with every call on it.  An end is ours or
 * theirs, never source or destination: those change with the direction of a packet.  Without a
 * port an end is not known yet, and its address means nothing.
 */
#include "event/value-internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

/* --- ends */

struct end {
	uint16_t family, port;
	const uint8_t *addr;
};

static struct end our_end(const struct value *v)
{
	const struct wire_conn *c = record_of(v);
	const struct wire_sock *s = record_of(v);

	return v->field->body == BODY_wire_sock ? (struct end){s->family, s->sport, s->saddr}
						: (struct end){c->family, c->sport, c->saddr};
}

static struct end their_end(const struct value *v)
{
	const struct wire_conn *c = record_of(v);
	const struct wire_sock *s = record_of(v);

	return v->field->body == BODY_wire_sock ? (struct end){s->family, s->dport, s->daddr}
						: (struct end){c->family, c->dport, c->daddr};
}

/* IPv4 in IPv6 (::ffff:1.2.3.4) is what a dual-stack socket sees of IPv4: show that. */
static void print_address(const struct end *end, char *to, size_t n)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (end->family == AF_INET6 && !memcmp(end->addr, mapped, sizeof(mapped)))
		inet_ntop(AF_INET, end->addr + 12, to, n);
	else
		inet_ntop(end->family == AF_INET6 ? AF_INET6 : AF_INET, end->addr, to, n);
}

static bool put_address(const struct value *v, struct end end)
{
	char ip[INET6_ADDRSTRLEN];

	if (!end.port)
		return false;
	print_address(&end, ip, sizeof(ip));
	return put_name(v, "", ip);
}

static bool put_end(const struct value *v, struct end end)
{
	char ip[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 16];

	if (!end.port)
		return false;
	print_address(&end, ip, sizeof(ip));
	snprintf(text, sizeof(text), strchr(ip, ':') ? "[%s]:%u" : "%s:%u", ip, end.port);
	return put_name(v, "", text);
}

VALUE(LOCAL)
{
	return put_end(v, our_end(v));
}

VALUE(REMOTE)
{
	return put_end(v, their_end(v));
}

VALUE(SADDR)
{
	return put_address(v, our_end(v));
}

VALUE(DADDR)
{
	return put_address(v, their_end(v));
}

VALUE(PORT)
{
	return u16_at(v) && put_u64(v, u16_at(v));
}

/* --- what a socket is */

static bool put_protocol(const struct value *v, uint16_t protocol)
{
	const char *name = names_find(names_protocol, protocol);

	return put_name_or(v, name ? "" : "protocol ", name, protocol);
}

VALUE(PROTOCOL)
{
	return put_protocol(v, u16_at(v));
}

/* The protocol of an internet socket; of others what they are. */
VALUE(SOCK_PROTOCOL)
{
	const struct wire_sock *s = record_of(v);
	const char *family = names_find(names_family, s->family);

	if (s->family == AF_INET || s->family == AF_INET6)
		return s->protocol && put_protocol(v, s->protocol);
	return s->family && family && put_name(v, "", family);
}

/* 0 is no family and no kind of socket: not known. */
static bool put_known(const struct value *v, const struct name *table)
{
	uint16_t n = u16_at(v);

	return n && put_name_or(v, "", names_find(table, n), n);
}

VALUE(FAMILY)
{
	return put_known(v, names_family);
}

VALUE(SOCK_TYPE)
{
	return put_known(v, names_sock_type);
}

VALUE(SOCK_BITS)
{
	return put_bits(v, names_sock_bit, u32_at(v));
}

VALUE(FD)
{
	return (int32_t)u32_at(v) >= 0 && put_u64(v, u32_at(v));
}
