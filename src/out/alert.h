/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts: their forms, and where they go.  One file each; all are `struct alert_sink`
 * (event/rule/engine.h).
 *
 *	alert-form.c	the line, in Falco's words or as JSON
 *	alert-queue.c	what waits, and how it is written without waiting
 *	alert-child.c	a program that is fed
 *	alert-file.c	standard output, a file
 *	alert-syslog.c	the system's log
 *	alert-http.c	a server, through curl
 *	alert-program.c	a program, for all alerts or for each
 *	alert-all.c	several at once
 */
#pragma once

#include "event/rule/engine.h"
#include "event/stream.h"

enum alert_as { ALERT_AS_TEXT, ALERT_AS_JSON };

struct alert_form {
	enum alert_as as;
	bool has_colour;
	const char *hostname; /* borrowed; NULL: it is left out */
};

/* One line, with its end.  Text: "HH:MM:SS.nnnnnnnnn: Priority message"; JSON: Falco's keys. */
void alert_form_put(const struct alert_form *f, const struct alert *a, struct buf *to);

/*
 * To an open descriptor, which stays open.  `events`: lines of events go there too; they are
 * written first, so that the order is right.  NULL: none.
 */
struct alert_sink *alert_fd_new(int fd, const struct alert_form *f, struct sink *events);
/*
 * To the end of a file (0600 if it is made).  If the file is moved away, or at reopen(), a
 * new one is made.  NULL and −errno in *ret_error: it can't be written to.
 */
struct alert_sink *alert_file_new(const char *path, const struct alert_form *f, int *ret_error);
/* To the socket of the system's log; `path` NULL: /dev/log.  Its priorities are the rules'. */
struct alert_sink *alert_syslog_new(const char *path, const struct alert_form *f);
/*
 * By POST, JSON, through curl, which needs to be installed: NULL and −ENOENT if it is not.
 * The address does not appear among curl's arguments, so it may hold a password.
 */
struct alert_sink *alert_http_new(const char *url, const struct alert_form *f, int *ret_error);
/*
 * To the standard input of `sh -c command`: one that takes all alerts, a line each, and is
 * started again if it ends; or (`each`) a new one for each.
 */
struct alert_sink *alert_program_new(const char *command, bool each, const struct alert_form *f);
/* To all of these, which it owns. */
struct alert_sink *alert_all_new(struct alert_sink *const *sinks, size_t n);
