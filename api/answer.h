/* SPDX-License-Identifier: ISC */
/*
 * From a backend's rows to an answer: table_row(), table_done() and
 * table_failed() of the contract, the cache, and the turns of fetch.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include "table.h"

/* Answers from the cache, or with the next of a fetched list; 0 if neither
 * has it, and the backend must be asked. */
int	 answer_known(struct table_request *);

#endif
