/* SPDX-License-Identifier: ISC */
/*
 * A table to start from.  Copy this folder, put your own data behind the four
 * functions, and name it in smtpd.conf: table mine stub:/some/file
 *
 * It knows one domain, one alias and one source address, and nothing else.
 */
#include <stdio.h>
#include <string.h>

#include "table_api.h"

#ifndef TABLE_VERSION
#define TABLE_VERSION	"0"
#endif

/* What smtpd.conf has behind the colon: a file of yours, or what you like. */
static const char	*arg;

/*
 * Read your data; asked at `smtpctl update table', SIGHUP and -n.  1: done.
 * -1: it can't be read, and what was read before stays.
 */
static int
stub_update(void)
{
	return arg[0] != '\0' ? 1 : -1;
}

/* Is the key there?  1: yes.  0: no, for certain.  -1: can't tell now. */
static int
stub_check(int service, struct dict *params, const char *key)
{
	(void)params;
	if (service == K_DOMAIN)
		return strcmp(key, "stub.example") == 0;
	return -1;
}

/* The key's value goes to dst; sz is room enough for what smtpd takes. */
static int
stub_lookup(int service, struct dict *params, const char *key, char *dst,
    size_t sz)
{
	(void)params;
	if (service != K_ALIAS)
		return -1;
	if (strcmp(key, "postmaster") != 0)
		return 0;
	return (size_t)snprintf(dst, sz, "root@stub.example") < sz ? 1 : -1;
}

/* The next value, without a key: for source and relayhost only. */
static int
stub_fetch(int service, struct dict *params, char *dst, size_t sz)
{
	(void)params;
	if (service != K_SOURCE)
		return -1;
	return (size_t)snprintf(dst, sz, "127.0.0.1") < sz ? 1 : -1;
}

int
main(int argc, char **argv)
{
	arg = table_api_arguments(argc, argv, "table-stub", TABLE_VERSION);
	/* smtpd asks for these, and for no other. */
	table_api_register_services(K_ALIAS | K_DOMAIN | K_SOURCE);
	table_api_on_update(stub_update);
	table_api_on_check(stub_check);
	table_api_on_lookup(stub_lookup);
	table_api_on_fetch(stub_fetch);
	return table_api_dispatch();
}
