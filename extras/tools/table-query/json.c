/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "client.h"

/*
 * The length of the UTF-8 character at s, 1 to 4, or 0 where there is none:
 * RFC 3629, which has no surrogates and nothing longer than it need be.
 */
static size_t
utf8_len(const unsigned char *s, size_t len)
{
	unsigned char	 low = 0x80, high = 0xbf;
	size_t		 n, i;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (len < n)
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	for (i = 1; i < n; i++, low = 0x80, high = 0xbf)
		if (s[i] < low || s[i] > high)
			return 0;
	return n;
}

static void
put_ascii(FILE *f, unsigned char c)
{
	const char	*letter = memchr("\"\"\\\\\bb\ff\nn\rr\tt", c, 14);

	if (c >= ' ' && c != '"' && c != '\\')
		putc(c, f);
	else if (letter != NULL)
		fprintf(f, "\\%c", letter[c == '"' || c == '\\' ? 0 : 1]);
	else
		fprintf(f, "\\u%04x", c);
}

void
show_json(FILE *f, const char *text, size_t len)
{
	const unsigned char	*s = (const unsigned char *)text;
	size_t			 n;

	putc('"', f);
	for (; len > 0; s += n, len -= n) {
		if ((n = utf8_len(s, len)) > 1)
			fwrite(s, 1, n, f);
		else if (n == 1)
			put_ascii(f, *s);
		else {
			fputs("\xef\xbf\xbd", f);	/* U+FFFD */
			n = 1;
		}
	}
	putc('"', f);
}
