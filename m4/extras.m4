# Folders below extras/, found by their configure.m4, so that a new one is
# named nowhere else.

# EXTRAS_FOREACH_FOLDER
# Includes every extras/*/*/configure.m4.  By the builtin, since aclocal takes
# a file that m4_include names for one that is there.
AC_DEFUN([EXTRAS_FOREACH_FOLDER],
[m4_foreach_w([extras_file],
    m4_esyscmd_s([ls extras/*/*/configure.m4 | tr '\n' ' ']),
    [m4_builtin([include], extras_file)])])

# _EXTRAS_FOLDER(FOLDER, BUILT, WHY)
# Notes the folder for SUBDIRS and a line for the summary.
AC_DEFUN([_EXTRAS_FOLDER],
[ALL_FOLDERS="$ALL_FOLDERS $1"
AS_IF([test "x$2" = xyes], [FOLDERS="$FOLDERS $1"])
extras_summary="$extras_summary
  m4_bpatsubst([$1], [.*/])	$2, $3"
AC_CONFIG_FILES([$1/Makefile])])

# TABLE_BACKEND(NAME, PKG-CONFIG-MODULES, DEBIAN-PACKAGE)
# Declares --with-table-NAME and finds its library.  In Makefile.am then:
# TABLE_NAME_VERSION, and NAME_CFLAGS and NAME_LIBS in capitals.
AC_DEFUN([TABLE_BACKEND],
[m4_pushdef([UP], m4_translit([$1], [a-z-], [A-Z_]))
AC_ARG_WITH([table-$1],
    [AS_HELP_STRING([--with-table-$1],
	[build table-$1 @<:@where ]m4_default([$2], [nothing])[ is found@:>@])],
    [], [with_table_$1=auto])
table_built=yes table_why="asked for"
AS_IF([test "x$with_table_$1" = xno], [table_built=no table_why="left out by --without-table-$1"],
    [test "x$with_table_$1" = xauto], [table_why="m4_default([$2], [no library]) found"])
m4_ifval([$2],
[AS_IF([test "x$with_table_$1" != xno],
    [PKG_CHECK_MODULES(UP, [$2], [],
	[AS_IF([test "x$with_table_$1" = xyes],
	    [AC_MSG_ERROR([table-$1 needs $2, which is missing; on Debian: apt-get install $3])])
	 table_built=no table_why="$2 is missing (Debian: $3)"])])],
[m4_n([AS_IF([test "x$with_table_$1" = xauto], [table_why="needs no library"])])])
AC_SUBST([TABLE_]UP[_VERSION],
    m4_esyscmd_s([cut -d' ' -f2 extras/tables/table-$1/RELEASE]))
_EXTRAS_FOLDER([extras/tables/table-$1], [$table_built], [$table_why])
m4_popdef([UP])])

# EXTRAS_TOOL(NAME)
# A program for people that needs nothing but libtableapi.
AC_DEFUN([EXTRAS_TOOL],
[_EXTRAS_FOLDER([extras/tools/$1], [yes], [a tool])])
