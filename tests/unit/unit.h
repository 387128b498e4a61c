/* SPDX-License-Identifier: ISC */
/* What cmocka wants in front of it, and short names for columns. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "table.h"

#define COL(s)		{ (s), sizeof(s) - 1 }
#define COL_NULL	{ NULL, 0 }
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

#endif
