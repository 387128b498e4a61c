/* SPDX-License-Identifier: ISC */
/*
 * Password schemes in braces, as Dovecot and OpenLDAP write them.  Pure.
 */
#ifndef PASSWORD_H
#define PASSWORD_H

#include <stddef.h>

/*
 * How many bytes of prefix (`{CRYPT}' and its like) stand before a hash that
 * the system's crypt(3) can check, and that looks like one; 0 where there is none.  *why is set, to a
 * constant, for a scheme that crypt(3) can't check.
 */
size_t	 password_scheme(const char *hash, size_t len, const char **why);

#endif
