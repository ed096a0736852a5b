/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every type of value, as people and as programs read it, and where there is none.
 *
 * The cases are in files by subject; here is what holds for all of them.
 */
#include "event/value.h"

#include "event/value/look.h"

TEST(every_type)
{
	look_begin();
	cases_plain();
	cases_process();
	cases_file();
	cases_net();
	cases_call();
	for (int t = 0; t < T_END; t++)
		test_result(look_has_seen(t), __FILE__, __LINE__, "no case for %s",
			    type_get(t)->name);
	look_end();
}

/* All fields of all events with nothing in the record: no value, or a harmless one. */
TEST(empty_records)
{
	look_begin();
	for (unsigned int kind = 1; kind < EV_END; kind++) {
		const struct field_desc *f;

		look_make(kind);
		for (size_t i = 0; (f = field_of_event(kind, i)); i++) {
			_cleanup_buf_ struct buf text = {0}, json = {0};

			CHECK_EQ(look_text(f->name, &text), text.n > 0);
			CHECK_EQ(look_json(f->name, &json), json.n > 0);
		}
	}
	look_end();
}
