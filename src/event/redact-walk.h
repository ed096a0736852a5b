/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk over a block of arguments: its state, and what its parts offer each other.
 *
 * redact.c goes from word to word, redact-inside.c looks into them, redact-value.c knows
 * where a value ends and masks it.  A function that takes a place and returns one says
 * where the walk goes on: never before that place, and behind the value if it is masked.
 *
 * Private to redact*.c.
 */
#pragma once

#include "event/redact-name.h"

enum family {
	OTHER,
	ANY, /* in the options: of whatever program */
	ARCHIVER,
	AWS,
	CONTAINER,
	CURL,
	ETCD,
	HTTPIE,
	LDAP,
	LDAPPASSWD,
	LFTP,
	LOGIN_P,
	LONG_P,
	MYSQL,
	NMCLI,
	OPENSSL,
	PUTTY,
	RDP,
	REDIS,
	REMOTE,
	SHELL,
	SMB,
	SNMP,
	SQLSERVER,
	SSHPASS,
	UPPER_P,
	ZIP,
};

/* How the next word is to be read. */
struct wanted {
	bool on;
	uint16_t bits; /* of the WORD */
	char sep;      /* of the OPTION */
};

struct redact {
	char *end; /* of the block */
	bool cut;  /* the block has no NUL at its end */
	bool script_only;
	size_t masked;

	char *arg, *arg_end;
	bool script;	 /* the argument is shell text */
	char *quoted_to; /* so far it was read for quotes, */
	char quote;	 /* and this one was open there */

	/* what the words before said */
	enum family family;
	struct wanted wanted;
	char *wanted_by; /* the option that wants it */
	bool header;	 /* a header follows */
	bool shell;	 /* there was a shell */
	bool dash_c;	 /* the last word was its -c */
	bool login;	 /* there was the word "login" */
	bool set;	 /* the last word was "set" */
	bool long_word;	 /* the last word was --option without "=" */
};

/* Mask what is secret from p to end; `bits` are those of the WORD that named it. */
char *redact_value(struct redact *s, char *p, char *end, unsigned int bits);

/* The end of the value at p; `lead` is where its name begins, or p itself. */
char *redact_value_end(struct redact *s, char *lead, char *p);

/*
 * Where a word ends that begins at p: at a space, or at one of `stops`.  One in quotes
 * ends with them; others may hold quoted pieces as in a shell, if `pieces`.
 */
char *redact_word_end(struct redact *s, char *p, const char *stops, bool pieces);

/* The quote that closes the one at p; NULL: none. */
char *redact_closing(struct redact *s, char *p);

/* At a byte that is neither letter nor digit: what it may separate is dealt with. */
char *redact_punctuation(struct redact *s, char *p);

/* At the begin of a run of letters and digits: p, or the end of a secret by its shape. */
char *redact_shape(struct redact *s, char *p);
