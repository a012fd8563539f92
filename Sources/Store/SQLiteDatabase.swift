// SQLiteDatabase and SQLiteStatement: SQLite's C interface as two objects. Used by one thread at a
// time, and never by two connections over one statement.
//
// Unsafe: handles are opened in `init` and closed in `deinit`; a statement keeps its database
// alive. Bytes that are bound are copied nowhere: they live until the statement is reset, because
// each use of a statement is one call that binds, steps and resets.

#if SQLite
    internal import FetchBytes
    internal import CFetchSQLite

    /// What SQLite answers when it doesn't do as asked.
    package enum SQLiteFailure: Error, Equatable, Sendable {
        /// Somebody else holds a lock. Nothing was waited for.
        case busy
        /// The file is no database, or its pages contradict each other.
        case corrupt
        /// The database has as many pages as it may, or the disk is full.
        case full
        /// A row of that number is there already.
        case conflict
        /// Anything else, by SQLite's number.
        case refused(Int32)

        init(_ code: CInt) {
            switch code & 0xff {
            case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL: self = .busy
            case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_SCHEMA, SQLITE_MISMATCH, SQLITE_ERROR,
                SQLITE_READONLY, SQLITE_FORMAT:
                // The statements are right: an error in one is a table that isn't there. And the
                // file is ours to write: what forbids it stands in its first page.
                self = .corrupt
            case SQLITE_FULL: self = .full
            case SQLITE_CONSTRAINT: self = .conflict
            default: self = .refused(code)
            }
        }
    }

    /// A connection to one file.
    @safe
    final class SQLiteDatabase {
        fileprivate let handle: OpaquePointer
        /// Frames in the log after the last commit of this connection, written by SQLite's hook.
        private let frames: UnsafeMutablePointer<CInt>

        init(_ path: String) throws(SQLiteFailure) {
            var opened: OpaquePointer?
            // The caller serialises, and has made the file.
            let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX
            let code = unsafe sqlite3_open_v2(path, &opened, flags, nil)
            guard code == SQLITE_OK, let handle = unsafe opened else {
                unsafe sqlite3_close_v2(opened)
                throw SQLiteFailure(code)
            }
            unsafe self.handle = handle
            unsafe frames = .allocate(capacity: 1)
            unsafe frames.initialize(to: 0)
            unsafe sqlite3_extended_result_codes(handle, 1)
        }

        deinit {
            unsafe sqlite3_close_v2(handle)
            unsafe frames.deallocate()
        }

        /// Leaves copying the log to `checkpoint`, and notes how long it is.
        func watchLog() throws(SQLiteFailure) {
            // The pragma takes any hook away.
            try execute("PRAGMA wal_autocheckpoint = 0")
            // The counter outlives the connection, which is closed first.
            unsafe sqlite3_wal_hook(
                handle,
                { counter, _, _, frames in
                    unsafe counter?.assumingMemoryBound(to: CInt.self).pointee = frames
                    return SQLITE_OK
                }, frames)
        }

        /// Frames in the log, as far as this connection knows.
        var logFrames: Int { unsafe Int(frames.pointee) }

        /// Rows that the last statement changed.
        var changes: Int { unsafe Int(sqlite3_changes64(handle)) }

        /// Runs statements that give no rows.
        func execute(_ sql: String) throws(SQLiteFailure) {
            let code = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
            guard code == SQLITE_OK else { throw SQLiteFailure(code) }
        }

        /// The number that a statement gives in its only row.
        func number(_ sql: String) throws(SQLiteFailure) -> Int64 {
            let statement = try SQLiteStatement(sql, self)
            return try statement.first { $0.number(0) } ?? 0
        }

        /// Copies what it can of the log into the file, without waiting for anybody.
        func checkpoint() throws(SQLiteFailure) {
            var (all, done) = (CInt(0), CInt(0))
            let code = unsafe sqlite3_wal_checkpoint_v2(
                handle, nil, SQLITE_CHECKPOINT_PASSIVE, &all, &done)
            guard code == SQLITE_OK else { throw SQLiteFailure(code) }
            // What is copied is written over by the next commit.
            unsafe frames.pointee = max(0, all - done)
        }
    }

    /// One prepared statement.
    @safe
    final class SQLiteStatement {
        private let handle: OpaquePointer
        private let database: SQLiteDatabase

        init(_ sql: String, _ database: SQLiteDatabase) throws(SQLiteFailure) {
            var prepared: OpaquePointer?
            let code = unsafe sqlite3_prepare_v3(
                database.handle, sql, -1, CUnsignedInt(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
            guard code == SQLITE_OK, let handle = unsafe prepared else { throw SQLiteFailure(code) }
            unsafe self.handle = handle
            self.database = database
        }

        deinit { unsafe sqlite3_finalize(handle) }

        /// What is bound to a statement's parameters, in their order.
        enum Value {
            case number(Int64)
            case bytes(Bytes)
            case nothing
        }

        /// One row, while it is stepped upon.
        @safe
        struct Row {
            fileprivate let handle: OpaquePointer

            func number(_ column: CInt) -> Int64 { unsafe sqlite3_column_int64(handle, column) }

            /// A copy of a column's bytes; none where it has another type.
            func bytes(_ column: CInt) -> Bytes {
                guard unsafe sqlite3_column_type(handle, column) == SQLITE_BLOB,
                    let start = unsafe sqlite3_column_blob(handle, column)
                else { return Bytes() }
                let count = unsafe Int(sqlite3_column_bytes(handle, column))
                return unsafe Bytes(
                    Array(UnsafeRawBufferPointer(start: start, count: count)))
            }
        }

        /// Runs it for its effect.
        func run(_ values: Value...) throws(SQLiteFailure) {
            try each(values) { _ in false }
        }

        /// What the body makes of the first row; nil where there is none.
        func first<R>(
            _ values: Value..., body: (borrowing Row) -> R
        ) throws(SQLiteFailure) -> R? {
            var result: R?
            try each(values) {
                result = body($0)
                return false
            }
            return result
        }

        /// Hands rows out until the body has enough of them.
        func each(
            _ values: [Value], _ body: (borrowing Row) -> Bool
        ) throws(SQLiteFailure) {
            var failure = CInt(SQLITE_OK)
            bind(values[...], at: 1) {
                while true {
                    let code = unsafe sqlite3_step(handle)
                    if code == SQLITE_ROW, unsafe body(Row(handle: handle)) { continue }
                    if code != SQLITE_ROW, code != SQLITE_DONE { failure = code }
                    break
                }
                unsafe sqlite3_reset(handle)
            }
            if failure != SQLITE_OK { throw SQLiteFailure(failure) }
        }

        /// Binds one after the other, so that all bytes are lent while `body` runs.
        private func bind(_ values: ArraySlice<Value>, at index: CInt, _ body: () -> Void) {
            guard let value = values.first else { return body() }
            let rest = values.dropFirst()
            switch value {
            case .number(let number):
                unsafe sqlite3_bind_int64(handle, index, number)
                bind(rest, at: index + 1, body)
            case .nothing:
                unsafe sqlite3_bind_null(handle, index)
                bind(rest, at: index + 1, body)
            case .bytes(let bytes):
                unsafe bytes.withUnsafeBytes { bytes in
                    unsafe _ = fetch_sqlite3_bind_bytes(
                        handle, index, bytes.baseAddress, CInt(bytes.count))
                    bind(rest, at: index + 1, body)
                    unsafe sqlite3_bind_null(handle, index)
                }
            }
        }
    }
#endif
