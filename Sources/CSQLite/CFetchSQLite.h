// SQLite as the Store room sees it: what it offers only through macros, casts and variadic
// functions. No logic.
#ifndef CFETCHSQLITE_H
#define CFETCHSQLITE_H

#include <sqlite3.h>

#if SQLITE_VERSION_NUMBER < 3037000
#error "SQLite 3.37 or newer is needed"
#endif

// Bytes that stay where they are until the statement is reset: SQLite copies nothing.
static inline int fetch_sqlite3_bind_bytes(
    sqlite3_stmt *_Nonnull statement, int index, const void *_Nullable bytes, int count) {
    return sqlite3_bind_blob(statement, index, bytes, count, SQLITE_STATIC);
}

#endif
