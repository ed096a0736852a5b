/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of hosts, for fd.sip.name and its kin.
 *
 * Rules name hosts, connections have addresses.  Nobody is asked while an event waits: what is
 * known is a table, filled before.  A name may have many addresses, and an address many
 * names.
 */
#pragma once

#include "base/str.h"

struct hosts;

struct hosts *hosts_new(void);
void hosts_free(struct hosts *h); /* NULL is fine */
/* Add what stands in a text of the form of /etc/hosts; lines that are none are passed over. */
void hosts_parse(struct hosts *h, struct str text);
/* The same of a file; 0 or −errno. */
int hosts_load(struct hosts *h, const char *path);
/* `ip` is 16 bytes, IPv4 mapped.  Upper and lower case are alike. */
void hosts_add(struct hosts *h, struct str name, const uint8_t ip[16]);
bool hosts_has(const struct hosts *h, struct str name, const uint8_t ip[16]);
/* The first name of an address; {NULL, 0}: none. */
struct str hosts_name(const struct hosts *h, const uint8_t ip[16]);
