/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Literals of rules: text that is compared with a value of some type.
 *
 * Addresses are 16 bytes, IPv4 ones mapped (::ffff:1.2.3.4), so that one comparison serves
 * both; networks are such an address and the number of its bits that count.
 */
#include "catalog/rule-field.h"

#include "base/macro.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LITERAL_MAX = 64 }; /* bytes of a number or an address */

/* Ports by name: of /etc/services those that rules are written with. */
static const struct {
	const char *name;
	uint16_t port;
} services[] = {
	{"domain", 53},	 {"ftp", 21},	 {"ftp-data", 20}, {"http", 80},	 {"https", 443},
	{"imap2", 143},	 {"imaps", 993}, {"ldap", 389},	   {"ldaps", 636},	 {"mysql", 3306},
	{"ntp", 123},	 {"pop3", 110},	 {"pop3s", 995},   {"postgresql", 5432}, {"rsync", 873},
	{"smtp", 25},	 {"snmp", 161},	 {"ssh", 22},	   {"submission", 587},	 {"sunrpc", 111},
	{"syslog", 514}, {"telnet", 23}, {"tftp", 69},	   {"bootps", 67},
};

static bool parse_number(const char *text, bool is_signed, int64_t *ret)
{
	const char *digits = text + (*text == '-' || *text == '+');
	int base = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X') ? 16 : 10;
	char *end;

	if (*digits < '0' || *digits > '9' || (*text == '-' && !is_signed))
		return false;
	errno = 0;
	*ret = is_signed && base == 10 ? strtoll(text, &end, base)
				       : (int64_t)strtoull(text, &end, base);
	return !errno && !*end && end > text;
}

static bool parse_ip(char *text, struct rule_literal *to)
{
	char *slash = strchr(text, '/');
	unsigned char v4[4];
	int64_t bits = -1;
	bool is_v4;

	if (slash) {
		*slash++ = 0;
		if (!*slash || strspn(slash, "0123456789") != strlen(slash) || strlen(slash) > 3)
			return false;
		bits = atoi(slash);
	}
	is_v4 = inet_pton(AF_INET, text, v4) == 1;
	if (is_v4) {
		memset(to->ip, 0, 10);
		memset(to->ip + 10, 0xff, 2);
		memcpy(to->ip + 12, v4, 4);
	} else if (inet_pton(AF_INET6, text, to->ip) != 1) {
		return false;
	}
	if (bits > (is_v4 ? 32 : 128))
		return false;
	to->prefix = bits < 0 ? 128 : is_v4 ? 96 + bits : bits;
	return true;
}

static bool parse_port(const char *text, int64_t *ret)
{
	if (parse_number(text, false, ret))
		return *ret >= 0 && *ret <= UINT16_MAX;
	for (size_t i = 0; i < ELEMENTS(services); i++) {
		if (strcmp(services[i].name, text))
			continue;
		*ret = services[i].port;
		return true;
	}
	return false;
}

static bool parse_bool(const char *text, int64_t *ret)
{
	*ret = !strcmp(text, "true");
	return *ret || !strcmp(text, "false");
}

static bool parse(enum rule_value_kind kind, char *text, struct rule_literal *to)
{
	switch (kind) {
	case RV_SIGNED:
		return parse_number(text, true, &to->number);
	case RV_UNSIGNED:
		return parse_number(text, false, &to->number);
	case RV_BOOL:
		return parse_bool(text, &to->number);
	case RV_ADDRESS:
		return parse_ip(text, to);
	case RV_PORT:
		return parse_port(text, &to->number);
	case RV_NAMED: /* compared as text; the number is there for who wants it */
		parse_number(text, true, &to->number);
		return true;
	case RV_TEXT:
	case RV_BYTES:
		return true;
	}
	return false;
}

bool rule_literal_parse(enum rule_type type, struct str text, struct rule_literal *ret)
{
	char copy[LITERAL_MAX];
	enum rule_value_kind kind = rule_types[type].value;
	bool is_text = kind == RV_TEXT || kind == RV_BYTES || kind == RV_NAMED;
	bool fits = text.n < sizeof(copy) && (!text.n || !memchr(text.p, 0, text.n));

	*ret = (struct rule_literal){0};
	if (!fits)
		return ret->is_valid = is_text;
	memcpy(copy, text.n ? text.p : "", text.n);
	copy[text.n] = 0;
	return ret->is_valid = parse(kind, copy, ret);
}
