EXTRAS_TOOL([table-query])
