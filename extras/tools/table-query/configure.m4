EXTRAS_TOOL([table-query])
AC_CHECK_FUNCS([closefrom])
