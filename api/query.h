/* SPDX-License-Identifier: ISC */
/*
 * For drivers of query languages: one query for each service, declared once
 * for all of them.  Embed struct table_queries in the configuration and put
 * TABLE_QUERY_OPTIONS(type, field, placeholder) into its table of options.
 */
#ifndef QUERY_H
#define QUERY_H

#include "option.h"

struct table_queries {
	/* By service_index(); NULL where the service is not configured. */
	struct expand	*keyed[TABLE_NSERVICES];
	struct expand	*fetch_source, *fetch_relayhost;
};

/* Services with a query, by how they are asked. */
uint32_t		 query_keyed(const struct table_queries *);
uint32_t		 query_fetched(const struct table_queries *);
/*
 * How many queries there can be, and the i'th, in an order that stays; NULL
 * where it is not configured.  A driver prepares them by this number.
 */
#define QUERY_MAX	(TABLE_NSERVICES + 2)
struct expand *const	*query_at(const struct table_queries *, unsigned int);
/* service_columns() for the n'th query. */
const char		*query_columns(unsigned int n, size_t columns);
/* The number of the query that answers a request; it is configured. */
unsigned int		 query_of(const struct table_request *);
/* The value of a parameter for a request; it lives as long as the key. */
struct table_column	 table_variable(const struct table_request *,
			    enum expand_variable);

#define QUERY_OPTION(name_, conf_, field_, place_, help_) {		\
	.name = (name_), .type = OPTION_QUERY, .placeholder = (place_),	\
	.offset = OPTION_FIELD(conf_, field_, struct expand *),		\
	.help = (help_) }

#define TABLE_QUERY_OPTIONS(type, q, p)					\
	QUERY_OPTION("query_alias", type, q.keyed[0], p,		\
	    "recipients of an alias, one a row"),			\
	QUERY_OPTION("query_domain", type, q.keyed[1], p,		\
	    "a row if the domain is there"),				\
	QUERY_OPTION("query_credentials", type, q.keyed[2], p,		\
	    "login and password hash"),					\
	QUERY_OPTION("query_netaddr", type, q.keyed[3], p,		\
	    "a row if the address is there"),				\
	QUERY_OPTION("query_userinfo", type, q.keyed[4], p,		\
	    "uid, gid and home directory"),				\
	QUERY_OPTION("query_source", type, q.keyed[5], p,		\
	    "a row if the source address is there"),			\
	QUERY_OPTION("query_mailaddr", type, q.keyed[6], p,		\
	    "a row if the mail address is there"),			\
	QUERY_OPTION("query_addrname", type, q.keyed[7], p,		\
	    "host name of an address"),					\
	QUERY_OPTION("query_mailaddrmap", type, q.keyed[8], p,		\
	    "addresses that a login may send as, one a row"),		\
	QUERY_OPTION("query_relayhost", type, q.keyed[9], p,		\
	    "relay URL of a domain"),					\
	QUERY_OPTION("query_string", type, q.keyed[10], p,		\
	    "a row if the string is there"),				\
	QUERY_OPTION("query_regex", type, q.keyed[11], p,		\
	    "a row if an expression matches the key"),			\
	QUERY_OPTION("query_auth", type, q.keyed[12], p,		\
	    "a row if login and password are right"),			\
	QUERY_OPTION("fetch_source", type, q.fetch_source, p,		\
	    "source addresses, one a row"),				\
	QUERY_OPTION("fetch_relayhost", type, q.fetch_relayhost, p,	\
	    "relay URLs, one a row")

#endif
