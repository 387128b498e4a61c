/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <strings.h>

#include "password.h"

/* Names are those of doveadm-pw(1) and RFC 2307. */
static const char *const crypt_schemes[] = {
	"CRYPT", "BLF-CRYPT", "SHA256-CRYPT", "SHA512-CRYPT", "MD5-CRYPT",
	"DES-CRYPT"
};
static const char *const other_schemes[] = {
	"PLAIN", "CLEAR", "CLEARTEXT", "MD5", "PLAIN-MD5", "LDAP-MD5", "SMD5",
	"SHA", "SHA1", "SSHA", "SHA256", "SSHA256", "SHA512", "SSHA512",
	"PBKDF2", "PBKDF2-SHA1", "PBKDF2-SHA256", "PBKDF2-SHA512", "ARGON2",
	"ARGON2I", "ARGON2ID", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1",
	"SCRAM-SHA-256", "NTLM", "LANMAN", "SASL", "OTP", "SKEY"
};

/* A hash of crypt(5): `$id$...', `_...' (BSDi), or 13 letters of DES. */
static int
looks_like_a_hash(const char *s, size_t len)
{
	static const char	 letters[] = "./0123456789"
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t			 i;

	if (len == 0 || s[0] == '$' || s[0] == '_')
		return len > 0;
	for (i = 0; i < len; i++)
		if (s[i] == '\0' || strchr(letters, s[i]) == NULL)
			return 0;
	return len == 13;
}

#define LIST(a)	(a), sizeof(a) / sizeof((a)[0])

static int
is_in(const char *const *names, size_t n, const char *s, size_t len)
{
	size_t	i;

	for (i = 0; i < n; i++)
		if (strlen(names[i]) == len && strncasecmp(names[i], s, len) == 0)
			return 1;
	return 0;
}

size_t
password_scheme(const char *hash, size_t len, const char **why)
{
	const char	*end;
	size_t		 name_len;

	if (len == 0 || hash[0] != '{' || (end = memchr(hash, '}', len)) == NULL)
		return 0;
	name_len = (size_t)(end - hash - 1);
	/* What is no hash may be the clear password of a relay. */
	if (is_in(LIST(crypt_schemes), hash + 1, name_len))
		return looks_like_a_hash(end + 1, len - name_len - 2) ?
		    name_len + 2 : 0;
	if (is_in(LIST(other_schemes), hash + 1, name_len))
		*why = "the password's scheme is not one of crypt(3)";
	return 0;
}
