/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three ways out for foreign bytes, on one idea: nearly all text is clean ASCII.
 *
 * clean_run() reads eight bytes at once and stops at the first that may need work; what
 * it passed is copied as a block.  The byte where it stopped is then looked at alone:
 * a piece of UTF-8 that is fit to be seen, one that is not, or no UTF-8 at all.
 */
#include "event/escape.h"

#include "base/macro.h"
#include "event/redact.h"

/* Characters that show nothing, or change how others are shown.  Sorted. */
static const struct range {
	uint32_t first, last;
} unseen[] = {
	{0x0000, 0x001f},   /* C0 */
	{0x007f, 0x009f},   /* DEL, C1 */
	{0x00ad, 0x00ad},   /* soft hyphen */
	{0x034f, 0x034f},   /* combining grapheme joiner */
	{0x061c, 0x061c},   /* Arabic letter mark: bidi */
	{0x115f, 0x1160},   /* Hangul fillers */
	{0x17b4, 0x17b5},   /* Khmer inherent vowels */
	{0x180b, 0x180f},   /* Mongolian variation selectors and vowel separator */
	{0x200b, 0x200f},   /* zero width, left-to-right and right-to-left marks */
	{0x2028, 0x202e},   /* line and paragraph separators, bidi embeddings, overrides */
	{0x2060, 0x206f},   /* word joiner, invisible operators, bidi isolates */
	{0x3164, 0x3164},   /* Hangul filler */
	{0xfdd0, 0xfdef},   /* no characters */
	{0xfeff, 0xfeff},   /* byte order mark */
	{0xffa0, 0xffa0},   /* half-width Hangul filler */
	{0xfff0, 0xfffb},   /* interlinear annotation */
	{0xfffe, 0xffff},   /* no characters */
	{0x13430, 0x1343f}, /* joiners of hieroglyphs */
	{0x1bca0, 0x1bca3}, /* shorthand format */
	{0x1d173, 0x1d17a}, /* invisible signs of music */
	{0xe0000, 0xe0fff}, /* tags, variation selectors */
};

static bool is_unseen(uint32_t c)
{
	size_t low = 0, high = ELEMENTS(unseen);

	if ((c & 0xfffe) == 0xfffe) /* U+nFFFE and U+nFFFF are no characters */
		return true;
	while (low < high) {
		size_t i = (low + high) / 2;

		if (c > unseen[i].last)
			low = i + 1;
		else if (c < unseen[i].first)
			high = i;
		else
			return true;
	}
	return false;
}

/* The character at the begin of `s`, and its length; 0: it is no UTF-8. */
static size_t utf8_decode(struct str s, uint32_t *ret_c)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first;
	uint32_t c;
	size_t n;

	if (!s.n)
		return 0;
	first = s.p[0];
	if (first < 0x80) {
		*ret_c = first;
		return 1;
	}
	n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	if (first < 0xc0 || first > 0xf7 || n > s.n)
		return 0;
	c = first & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s.p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s.p[i] & 0x3f);
	}
	if (c < least[n] || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
		return 0;
	*ret_c = c;
	return n;
}

#define EACH_BYTE(c) (0x0101010101010101ull * (uint8_t)(c))

/* Bytes of `w` below n, n <= 128, have their high bit set; so may bytes that follow one. */
static inline uint64_t below(uint64_t w, uint8_t n)
{
	return (w - EACH_BYTE(n)) & ~w & EACH_BYTE(0x80);
}

/*
 * How many bytes from p on are printable ASCII other than `stop` and `stop2`.  The test
 * of eight bytes can be wrong only in calling a clean one dirty.
 */
static size_t clean_run(const char *p, size_t n, char stop, char stop2)
{
	size_t i = 0;

	for (; n - i >= 8; i += 8) {
		uint64_t w;

		memcpy(&w, p + i, 8);
		if ((w & EACH_BYTE(0x80)) | below(w, 0x20) | below(w ^ EACH_BYTE(0x7f), 1) |
		    below(w ^ EACH_BYTE(stop), 1) | below(w ^ EACH_BYTE(stop2), 1))
			break;
	}
	for (; i < n; i++) {
		uint8_t c = p[i];

		if (c < 0x20 || c > 0x7e || c == (uint8_t)stop || c == (uint8_t)stop2)
			break;
	}
	return i;
}

/* What stands at the begin of a text. */
enum piece {
	CLEAN,	/* to be copied */
	UNSEEN, /* a character that must not be */
	BROKEN, /* a byte that is no UTF-8 */
	MASKED, /* a run of REDACT_BYTE */
};

static enum piece next_piece(struct str s, size_t *ret_n, uint32_t *ret_c)
{
	size_t n;

	if (*s.p == REDACT_BYTE) {
		for (n = 1; n < s.n && s.p[n] == REDACT_BYTE;)
			n++;
		*ret_n = n;
		return MASKED;
	}
	n = utf8_decode(s, ret_c);
	if (!n) {
		*ret_n = 1;
		*ret_c = (uint8_t)*s.p;
		return BROKEN;
	}
	*ret_n = n;
	return is_unseen(*ret_c) ? UNSEEN : CLEAN;
}

static void put_hex(struct buf *b, const char *before, uint32_t c, int digits)
{
	static const char hex[] = "0123456789abcdef";

	buf_puts(b, before);
	while (digits--)
		buf_putc(b, hex[c >> (4 * digits) & 15]);
}

static int hex_digits(uint32_t c)
{
	int n = 1;

	while (c >>= 4)
		n++;
	return n;
}

/* The letter of a control byte's short escape, 0: it has none. */
static char short_escape(uint32_t c)
{
	switch (c) {
	case '\n':
		return 'n';
	case '\t':
		return 't';
	case '\r':
		return 'r';
	case 0x1b:
		return 'e';
	}
	return 0;
}

static void put_short(struct buf *b, char letter)
{
	buf_putc(b, '\\');
	buf_putc(b, letter);
}

static void put_byte(struct buf *b, uint32_t c)
{
	put_hex(b, "\\x", c, 2);
}

static void put_text_char(struct buf *b, uint32_t c)
{
	if (short_escape(c)) {
		put_short(b, short_escape(c));
	} else if (c < 0x80) {
		put_byte(b, c);
	} else {
		put_hex(b, "\\u{", c, hex_digits(c));
		buf_putc(b, '}');
	}
}

static void put_json_char(struct buf *b, uint32_t c)
{
	if (short_escape(c) && c != 0x1b) {
		put_short(b, short_escape(c));
	} else if (c < 0x10000) {
		put_hex(b, "\\u", c, 4);
	} else {
		put_hex(b, "\\u", 0xd7c0 + (c >> 10), 4);
		put_hex(b, "\\u", 0xdc00 + (c & 0x3ff), 4);
	}
}

static void put_json_byte(struct buf *b, uint32_t c)
{
	(void)c;
	buf_puts(b, "\xef\xbf\xbd"); /* U+FFFD */
}

static void put_shell_char(struct buf *b, uint32_t c)
{
	if (short_escape(c))
		put_short(b, short_escape(c));
	else if (c < 0x80)
		put_byte(b, c);
	else if (c < 0x10000)
		put_hex(b, "\\u", c, 4);
	else
		put_hex(b, "\\U", c, 8);
}

/* A way to write a text down. */
struct form {
	char stop, stop2; /* these get a backslash; 0: none */
	void (*put_unseen)(struct buf *b, uint32_t c);
	void (*put_broken)(struct buf *b, uint32_t byte);
};

static const struct form form_text = {'\\', 0, put_text_char, put_byte};
static const struct form form_json = {'\\', '"', put_json_char, put_json_byte};
static const struct form form_dollar = {'\\', '\'', put_shell_char, put_byte};
static const struct form form_plain = {0, 0, put_shell_char, put_byte};

static void put(struct buf *b, struct str s, const struct form *f)
{
	while (s.n) {
		size_t n = clean_run(s.p, s.n, f->stop, f->stop2);
		uint32_t c;

		buf_add(b, s.p, n);
		s = (struct str){s.p + n, s.n - n};
		if (!s.n)
			break;
		switch (next_piece(s, &n, &c)) {
		case CLEAN:
			if (n == 1 && (*s.p == f->stop || *s.p == f->stop2))
				buf_putc(b, '\\');
			buf_add(b, s.p, n);
			break;
		case UNSEEN:
			f->put_unseen(b, c);
			break;
		case BROKEN:
			f->put_broken(b, c);
			break;
		case MASKED:
			buf_puts(b, "\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2"); /* ••• */
			break;
		}
		s = (struct str){s.p + n, s.n - n};
	}
}

void escape_text(struct buf *b, struct str s)
{
	put(b, s, &form_text);
}

void escape_json(struct buf *b, struct str s)
{
	buf_putc(b, '"');
	put(b, s, &form_json);
	buf_putc(b, '"');
}

/* What an argument needs: nothing, '…', or $'…'. */
enum quoting { PLAIN, SINGLE, DOLLAR };

/* Bytes that no shell takes for anything else, wherever they stand. */
static const uint8_t is_tame[256] = {
	['a' ... 'z'] = 1, ['A' ... 'Z'] = 1, ['0' ... '9'] = 1, ['_'] = 1, ['-'] = 1,
	['.'] = 1,	   ['/'] = 1,	      [':'] = 1,	 [','] = 1, ['='] = 1,
	['@'] = 1,	   ['%'] = 1,	      ['+'] = 1,
};

static enum quoting quoting_of(struct str s)
{
	enum quoting q = s.n ? PLAIN : SINGLE;

	while (s.n) {
		uint32_t c;
		size_t n = 0;

		while (n < s.n && is_tame[(uint8_t)s.p[n]])
			n++;
		s = (struct str){s.p + n, s.n - n};
		if (!s.n)
			break;
		switch (next_piece(s, &n, &c)) {
		case CLEAN:
			if (c == '\'')
				return DOLLAR;
			if (c < 0x80)
				q = SINGLE;
			break;
		case UNSEEN:
		case BROKEN:
			return DOLLAR;
		case MASKED:
			break;
		}
		s = (struct str){s.p + n, s.n - n};
	}
	return q;
}

void escape_arg(struct buf *b, struct str s)
{
	switch (quoting_of(s)) {
	case PLAIN:
		put(b, s, &form_plain);
		break;
	case SINGLE:
		buf_putc(b, '\'');
		put(b, s, &form_plain);
		buf_putc(b, '\'');
		break;
	case DOLLAR:
		buf_puts(b, "$'");
		put(b, s, &form_dollar);
		buf_putc(b, '\'');
		break;
	}
}
