/* SPDX-License-Identifier: ISC */
/*
 * The classic interface: four functions to fill in, and no event loop to
 * understand.  A thin layer over table.h for tables that can answer at once.
 * extras/tables/table-stub shows it; names and meanings are those that table
 * programs have used since smtpd 5.4.
 */
#ifndef TABLE_API_H
#define TABLE_API_H

#include <stddef.h>

/* Services, to be told apart in a callback and joined by `|' to register. */
#define K_ALIAS		0x0001	/* lookup: recipients, split by commas */
#define K_DOMAIN	0x0002	/* check */
#define K_CREDENTIALS	0x0004	/* lookup: login:hash, or the hash */
#define K_NETADDR	0x0008	/* check */
#define K_USERINFO	0x0010	/* lookup: uid:gid:home */
#define K_SOURCE	0x0020	/* fetch: an IP address */
#define K_MAILADDR	0x0040	/* check */
#define K_ADDRNAME	0x0080	/* lookup: a host name */
#define K_MAILADDRMAP	0x0100	/* lookup: addresses, split by commas */
#define K_RELAYHOST	0x0200	/* fetch and lookup: a relay URL */
#define K_STRING	0x0400	/* check */
#define K_REGEX		0x0800	/* check */
#define K_AUTH		0x1000	/* check: the key is login:password */
/* All but auth, which would keep smtpd from asking for credentials. */
#define K_ANY		0x0fff

/* Always NULL; here for the sake of programs that name it. */
struct dict;

/*
 * Reads the arguments that smtpd gives, and -d, -n, -nn and -V.  Returns ARG
 * of `table NAME TYPE:ARG'.  To be called first.
 */
const char	*table_api_arguments(int, char **, const char *name,
		    const char *version);
/* The table's name in smtpd.conf. */
const char	*table_api_get_name(void);

/* What is registered with smtpd; K_ANY unless this is called. */
void		 table_api_register_services(int);

/*
 * The callbacks.  They are given a service, a NUL-ended key and, for lookup
 * and fetch, dst with room for a value of sz bytes, its NUL included.  They
 * return 1 for found (or, update, for done), 0 for not found and -1 where the
 * question could not be put: never 0 then, which bounces mail.  They must not
 * block for long: no other request is served meanwhile.
 */
void		 table_api_on_update(int (*)(void));
void		 table_api_on_check(int (*)(int, struct dict *, const char *));
void		 table_api_on_lookup(int (*)(int, struct dict *, const char *,
		    char *, size_t));
void		 table_api_on_fetch(int (*)(int, struct dict *, char *, size_t));

/* Serves smtpd, until it is gone; returns the exit status. */
int		 table_api_dispatch(void);

#endif
