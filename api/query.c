/* SPDX-License-Identifier: ISC */
#include "query.h"
#include "service.h"

#define AT_SOURCE	TABLE_NSERVICES
#define AT_RELAYHOST	(TABLE_NSERVICES + 1)

uint32_t
query_keyed(const struct table_queries *q)
{
	uint32_t	 services = 0;
	unsigned int	 i;

	for (i = 0; i < TABLE_NSERVICES; i++)
		if (q->keyed[i] != NULL)
			services |= service_at(i);
	return services;
}

uint32_t
query_fetched(const struct table_queries *q)
{
	return (q->fetch_source != NULL ? TABLE_SOURCE : 0) |
	    (q->fetch_relayhost != NULL ? TABLE_RELAYHOST : 0);
}

struct expand *const *
query_at(const struct table_queries *q, unsigned int i)
{
	if (i == AT_SOURCE)
		return &q->fetch_source;
	if (i == AT_RELAYHOST)
		return &q->fetch_relayhost;
	return &q->keyed[i];
}

const char *
query_columns(unsigned int n, size_t columns)
{
	if (n == AT_SOURCE)
		return service_columns(TABLE_SOURCE, TABLE_FETCH, columns);
	if (n == AT_RELAYHOST)
		return service_columns(TABLE_RELAYHOST, TABLE_FETCH, columns);
	return service_columns(service_at(n), TABLE_LOOKUP, columns);
}

unsigned int
query_of(const struct table_request *rq)
{
	if (table_operation(rq) != TABLE_FETCH)
		return service_index(table_service(rq));
	return table_service(rq) == TABLE_SOURCE ? AT_SOURCE : AT_RELAYHOST;
}
