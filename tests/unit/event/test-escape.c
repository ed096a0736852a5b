/* SPDX-License-Identifier: Apache-2.0 */
#include "base/macro.h"
#include "base/str.h"
#include "event/escape.h"
#include "test.h"

#include <stdlib.h>

#define DOTS "\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2"

static void check(void (*escape)(struct buf *, struct str), struct str s, const char *expected)
{
	_cleanup_buf_ struct buf b = {0};

	buf_putc(&b, '>'); /* what is there stays */
	escape(&b, s);
	CHECK_STREQ(b.p + 1, expected);
}

TEST(text)
{
	static const struct {
		struct str s;
		const char *expected;
	} cases[] = {
		{STR(""), ""},
		{STR("plain text of more than eight bytes"), "plain text of more than eight bytes"},
		{STR("12345678\n12345678"), "12345678\\n12345678"},
		{STR("a\tb\rc"), "a\\tb\\rc"},
		{STR("\033[31mred"), "\\e[31mred"},
		{STR("\033]0;title\a"), "\\e]0;title\\x07"},
		{STR("nul\0bell\177"), "nul\\x00bell\\x7f"},
		{STR("C:\\x"), "C:\\\\x"},
		{STR("\\n"), "\\\\n"},
		{STR("gr\xc3\xbc\xc3\x9f dich \xe2\x82\xac \xf0\x9f\x90\x9d"),
		 "gr\xc3\xbc\xc3\x9f dich \xe2\x82\xac \xf0\x9f\x90\x9d"},
		{STR("\xc2\x9b"
		     "31m"),
		 "\\u{9b}31m"},
		{STR("\x9b"
		     "31m"),
		 "\\x9b31m"},
		{STR("exe\xe2\x80\xaegpj"), "exe\\u{202e}gpj"},
		{STR("\xe2\x81\xa6x\xe2\x81\xa9"), "\\u{2066}x\\u{2069}"},
		{STR("\xe2\x80\x8e\xe2\x80\x8f"), "\\u{200e}\\u{200f}"},
		{STR("a\xe2\x80\xa8"
		     "b\xe2\x80\xa9"),
		 "a\\u{2028}b\\u{2029}"},
		{STR("a\xe2\x80\x8b\xef\xbb\xbf"), "a\\u{200b}\\u{feff}"},
		{STR("\xf3\xa0\x81\x81"), "\\u{e0041}"},
		{STR("\xef\xbf\xbf\xf0\x9f\xbf\xbe"), "\\u{ffff}\\u{1fffe}"},
		{STR("\x1a"), DOTS},
		{STR("--password=\x1a\x1a\x1a\x1a\x1a\x1a\x1a\x1a\x1a x"), "--password=" DOTS " x"},
		/* not UTF-8: cut, too long, surrogate, past the end, lone */
		{STR("\xe2\x82"), "\\xe2\\x82"},
		{STR("\xc0\xaf\xe0\x80\xaf"), "\\xc0\\xaf\\xe0\\x80\\xaf"},
		{STR("\xed\xa0\x80"), "\\xed\\xa0\\x80"},
		{STR("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"},
		{STR("\xf8\x88\x80\x80\x80\xff"), "\\xf8\\x88\\x80\\x80\\x80\\xff"},
		{STR("\x80x\xc3"), "\\x80x\\xc3"},
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++)
		check(escape_text, cases[i].s, cases[i].expected);
}

TEST(json)
{
	check(escape_json, STR(""), "\"\"");
	check(escape_json, STR("plain"), "\"plain\"");
	check(escape_json, STR("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
	check(escape_json, STR("\n\t\r\b\033\0"), "\"\\n\\t\\r\\u0008\\u001b\\u0000\"");
	check(escape_json, STR("\x7f\xc2\x85"), "\"\\u007f\\u0085\"");
	check(escape_json, STR("gr\xc3\xbc\xc3\x9f"), "\"gr\xc3\xbc\xc3\x9f\"");
	check(escape_json, STR("\xe2\x80\xae"), "\"\\u202e\"");
	check(escape_json, STR("\xf3\xa0\x81\x81"), "\"\\udb40\\udc41\"");
	check(escape_json, STR("x\xff\xfey"), "\"x\xef\xbf\xbd\xef\xbf\xbdy\"");
	check(escape_json, STR("p=\x1a\x1a"), "\"p=" DOTS "\"");
}

TEST(arg)
{
	check(escape_arg, STR("plain-1.2/x:y=z,@%+"), "plain-1.2/x:y=z,@%+");
	check(escape_arg, STR(""), "''");
	check(escape_arg, STR("two words"), "'two words'");
	check(escape_arg, STR("$HOME;`x`\"!*?[]{}~#&|<>()^"), "'$HOME;`x`\"!*?[]{}~#&|<>()^'");
	check(escape_arg, STR("a\\b"), "'a\\b'");
	check(escape_arg, STR("it's"), "$'it\\'s'");
	check(escape_arg, STR("a\nb"), "$'a\\nb'");
	check(escape_arg, STR("a\\b\n"), "$'a\\\\b\\n'");
	check(escape_arg, STR("\033[0m\x01"), "$'\\e[0m\\x01'");
	check(escape_arg, STR("\xff"), "$'\\xff'");
	check(escape_arg, STR("\xe2\x80\xae\xf3\xa0\x81\x81"), "$'\\u202e\\U000e0041'");
	check(escape_arg, STR("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
	check(escape_arg, STR("--password=\x1a\x1a"), "--password=" DOTS);
	check(escape_arg, STR("-H\x1a x"), "'-H" DOTS " x'");
}

/* Every byte at every place of a word of eight: the fast path misses none. */
TEST(every_byte_everywhere)
{
	for (int byte = 0; byte < 256; byte++)
		for (int at = 0; at < 17; at++) {
			_cleanup_buf_ struct buf b = {0};
			char s[17];
			bool clean = byte >= 0x20 && byte < 0x7f && byte != '\\';

			memset(s, 'a', sizeof(s));
			s[at] = byte;
			escape_text(&b, (struct str){s, sizeof(s)});
			if (clean != (b.n == sizeof(s)))
				test_result(false, __FILE__, __LINE__, "byte %d at %d: %s", byte,
					    at, b.p);
		}
	CHECK(true);
}
