TABLE_BACKEND([passwd])
