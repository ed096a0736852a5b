/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "catalog/question.h"

/*
 * Does everything that names something by number name something, and do sizes agree with
 * types?  NULL: yes, else the word for what is wrong.  Places of messages that lie outside
 * of their source become none.
 */
const char *question_check(struct question *q);
