/* SPDX-License-Identifier: Apache-2.0 */
/* Ends of connections, protocols, sockets. */
#include "event/value/look.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static void put_ipv4(uint8_t *at, const char *text)
{
	inet_pton(AF_INET, text, at);
}

static void put_ipv6(uint8_t *at, const char *text)
{
	inet_pton(AF_INET6, text, at);
}

CASES(connections)
{
	static const struct {
		uint16_t protocol;
		const char *text, *json;
	} protocols[] = {
		{IPPROTO_TCP, "tcp", "\"tcp\""},
		{IPPROTO_UDP, "udp", "\"udp\""},
		{IPPROTO_MPTCP, "mptcp", "\"mptcp\""},
		{99, "protocol 99", "\"protocol 99\""},
	};
	struct wire_conn *c = look_make(EV_CLOSE);

	for (size_t i = 0; i < ELEMENTS(protocols); i++) {
		c->protocol = protocols[i].protocol;
		IS("protocol", protocols[i].text, protocols[i].json);
	}
	c->family = AF_INET;
	put_ipv4(c->saddr, "192.0.2.1");
	put_ipv4(c->daddr, "203.0.113.255");
	NONE("local"); /* no port yet: no address that means anything */
	NONE("saddr");
	NONE("sport");
	NONE("remote");
	NONE("daddr");
	NONE("dport");
	c->sport = 1;
	c->dport = 65535;
	IS("local", "192.0.2.1:1", "\"192.0.2.1:1\"");
	IS("remote", "203.0.113.255:65535", "\"203.0.113.255:65535\"");
	IS("saddr", "192.0.2.1", "\"192.0.2.1\"");
	IS("daddr", "203.0.113.255", "\"203.0.113.255\"");
	SAME("sport", "1");
	SAME("dport", "65535");

	c->family = AF_INET6;
	put_ipv6(c->saddr, "2001:db8::1");
	put_ipv6(c->daddr, "::ffff:198.51.100.7"); /* IPv4 on a socket for both */
	IS("local", "[2001:db8::1]:1", "\"[2001:db8::1]:1\"");
	IS("saddr", "2001:db8::1", "\"2001:db8::1\"");
	IS("remote", "198.51.100.7:65535", "\"198.51.100.7:65535\"");
	IS("daddr", "198.51.100.7", "\"198.51.100.7\"");
	put_ipv6(c->daddr, "::");
	IS("remote", "[::]:65535", "\"[::]:65535\"");
	put_ipv6(c->daddr, "1111:2222:3333:4444:5555:6666:7777:8888");
	IS("remote", "[1111:2222:3333:4444:5555:6666:7777:8888]:65535",
	   "\"[1111:2222:3333:4444:5555:6666:7777:8888]:65535\"");
}

CASES(sockets)
{
	struct wire_sock *s = look_make(EV_NETCALL);

	s->fd = -1;
	NONE("family");
	NONE("protocol");
	NONE("remote");
	NONE("sock_bits");
	NONE("fd");
	s->family = AF_INET6;
	s->type = SOCK_STREAM;
	s->protocol = IPPROTO_TCP;
	s->dport = 2;
	put_ipv6(s->daddr, "::ffff:198.51.100.7");
	s->bits = WIRE_SOCK_SERVER | WIRE_SOCK_ADDRESSED;
	IS("family", "inet6", "\"inet6\"");
	IS("sock_type", "stream", "\"stream\"");
	IS("protocol", "tcp", "\"tcp\"");
	IS("remote", "198.51.100.7:2", "\"198.51.100.7:2\"");
	IS("sock_bits", "server|addressed", "[\"server\",\"addressed\"]");
	IS("daddr", "198.51.100.7", "\"198.51.100.7\"");
	SAME("dport", "2");
	NONE("local");
	NONE("saddr");
	NONE("sport");
	s->sport = 40000;
	put_ipv6(s->saddr, "2001:db8::1");
	IS("local", "[2001:db8::1]:40000", "\"[2001:db8::1]:40000\"");
	IS("saddr", "2001:db8::1", "\"2001:db8::1\"");
	SAME("sport", "40000");
	s->length = 1536;
	IS("length", "1.5KiB", "1536");
	NONE("socket");
	s->sock = 1ull << 40;
	IS("socket", "0x10000000000", "\"0x10000000000\"");
	s->fd = INT32_MAX;
	SAME("fd", "2147483647");
	s = look_make(EV_DUP);
	SAME("new_fd", "0");
}

/* Families, kinds and protocols that have no name, or are none. */
CASES(sockets_unknown)
{
	struct wire_sock *s = look_make(EV_NETCALL);

	s->family = AF_INET;
	NONE("protocol");
	s->protocol = 99;
	IS("protocol", "protocol 99", "\"protocol 99\"");
	s->family = AF_UNIX;
	IS("protocol", "unix", "\"unix\"");
	s->family = 200;
	IS("family", "200", "\"200\"");
	NONE("protocol");
	NONE("sock_type");
	s->type = 99;
	IS("sock_type", "99", "\"99\"");
}

void cases_net(void)
{
	connections();
	sockets();
	sockets_unknown();
}
