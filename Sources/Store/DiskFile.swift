// DiskFile: the file that responses are kept in: making it so that nobody else can read it, opening
// it, and beginning anew where it is unusable. Used by the thread of its store.
//
// The file is never opened here to look at it: closing any descriptor of a file drops all locks
// that the process holds on it (fcntl(2)), SQLite's own among them.
//
// Tables. An entry is one stored response, and is written last, so that it is there with all of its
// pieces or not at all. Its number holds the millisecond in which it was made (41 bits) and chance
// (10 bits), so that two processes need not ask each other for one, and entries stand in order of
// age. A small body stands in the entry; a larger one in pieces, whose number is the entry's and
// their own (12 bits). All rows are smaller than 64 KiB.

#if SQLite
    internal import FetchBytes
    internal import FetchCrypto
    internal import Glibc

    /// A database that is open, with its statements.
    final class DiskFile {
        /// In the file's name, and in the file.
        static let version = 2
        static let applicationID: Int64 = 0x5346_4348
        /// A page costs some system calls whatever its size: with 4 KiB, large bodies take half as
        /// much time again, with 64 KiB small ones do.
        static let pageBytes = 16_384
        /// Pages in the log beyond those at which it is copied, until nothing is written any more:
        /// somebody keeps it from being copied.
        static let spareLogPages = 20
        /// Pages that one more transaction may add to them.
        private static let transactionPages = 24

        let database: SQLiteDatabase
        /// Pages in the log at which it is copied into the file.
        let logPages: Int
        let statements: DiskStatements
        /// What hashes in this file are made with.
        let secret: Bytes
        /// Which file it was when it was opened.
        private let identity: Identity?
        private let path: String

        private struct Identity: Equatable {
            let device: UInt
            let number: UInt
        }

        /// Opens a file, and makes it where it isn't there.
        init(_ path: String, _ settings: DiskSettings) throws(SQLiteFailure) {
            self.path = path
            logPages = settings.logPages
            try Self.make(path)
            database = try SQLiteDatabase(path)
            identity = Self.identity(path)
            try Self.prepare(database, mostPages: Self.mostPages(settings))
            statements = try DiskStatements(database)
            let secret = try statements.secret.first { $0.bytes(0) } ?? Bytes()
            guard secret.count == 16 else { throw .corrupt }
            self.secret = secret
        }

        /// Takes the file away, so that the next one to open it finds none; unless somebody did so
        /// already, and another file is there now.
        func remove() {
            if let now = Self.identity(path), now == identity { Self.remove(path) }
        }

        /// The log goes first: beside a new file, an old one would be taken for that file's.
        static func remove(_ path: String) {
            // Paths are lent for the length of the call.
            for suffix in ["-wal", "-shm", ""] { _ = unsafe unlink(path + suffix) }
        }

        /// The directory for its owner alone, and an empty file for its owner alone. What is there
        /// already keeps its place, but no longer its readers.
        private static func make(_ path: String) throws(SQLiteFailure) {
            let directory = path.split(separator: "/", omittingEmptySubsequences: false)
                .dropLast().joined(separator: "/")
            // Paths are lent for the length of each call.
            if !directory.isEmpty { _ = unsafe mkdir(directory, 0o700) }
            let flags = O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW
            let made = unsafe open(path, flags, 0o600)
            if made >= 0 {
                _ = close(made)
                return
            }
            var facts = stat()
            // The pointer is to a local. A link, or somebody else's file, is left alone.
            guard errno == EEXIST, unsafe lstat(path, &facts) == 0,
                facts.st_mode & S_IFMT == S_IFREG, facts.st_uid == geteuid()
            else { throw .refused(errno) }
            if facts.st_mode & 0o077 != 0 { _ = unsafe chmod(path, 0o600) }
        }

        /// Whether the file that was opened is still the one that others would open.
        var isInPlace: Bool { Self.identity(path) == identity }

        private static func identity(_ path: String) -> Identity? {
            var facts = stat()
            // The pointer is to a local.
            guard unsafe lstat(path, &facts) == 0 else { return nil }
            return Identity(device: UInt(facts.st_dev), number: UInt(facts.st_ino))
        }

        private static func prepare(
            _ database: SQLiteDatabase, mostPages: Int
        ) throws(SQLiteFailure) {
            // Before anything else: it counts for an empty file only.
            try database.execute("PRAGMA page_size = \(pageBytes)")
            try database.execute("PRAGMA journal_mode = WAL")
            try database.execute(
                """
                PRAGMA synchronous = OFF; PRAGMA cache_size = -1024;
                PRAGMA temp_store = MEMORY;
                PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
                """)
            try database.watchLog()
            if try database.number("PRAGMA user_version") == 0 { try makeTables(database) }
            guard try database.number("PRAGMA user_version") == Int64(version),
                try database.number("PRAGMA application_id") == applicationID,
                try database.number("PRAGMA page_size") == Int64(pageBytes)
            else { throw .corrupt }
            try database.execute("PRAGMA max_page_count = \(mostPages)")
        }

        /// Pages of the file itself: what is left beside the log and its index.
        static func mostPages(_ settings: DiskSettings) -> Int {
            let logPages = settings.logPages + spareLogPages + transactionPages
            let log = logPages * (pageBytes + 24) + (64 << 10)
            return max((max(settings.mostBytes, 2 << 20) - log) / pageBytes, 32)
        }

        private static func makeTables(_ database: SQLiteDatabase) throws(SQLiteFailure) {
            try database.execute("BEGIN IMMEDIATE")
            do throws(SQLiteFailure) {
                // Another process may have been faster.
                if try database.number("PRAGMA user_version") == 0 { try fill(database) }
                try database.execute("COMMIT")
            } catch {
                try? database.execute("ROLLBACK")
                throw error
            }
        }

        private static func fill(_ database: SQLiteDatabase) throws(SQLiteFailure) {
            try database.execute(
                """
                PRAGMA application_id = \(applicationID);
                PRAGMA user_version = \(version);
                CREATE TABLE secret (value BLOB NOT NULL);
                CREATE TABLE entries (
                    id INTEGER PRIMARY KEY, resource INTEGER NOT NULL, variant INTEGER NOT NULL,
                    used INTEGER NOT NULL, pieces INTEGER NOT NULL, mark INTEGER NOT NULL,
                    form BLOB NOT NULL, body BLOB, checksum INTEGER NOT NULL);
                CREATE INDEX entries_by_resource ON entries (resource, variant);
                CREATE INDEX entries_by_use ON entries (used);
                CREATE TABLE pieces (
                    id INTEGER PRIMARY KEY, data BLOB NOT NULL, checksum INTEGER NOT NULL);
                """)
            let statement = try SQLiteStatement("INSERT INTO secret VALUES (?)", database)
            try statement.run(.bytes(try secret()))
        }

        private static func secret() throws(SQLiteFailure) -> Bytes {
            do throws(CryptoError) {
                return try RandomBytes.make(16)
            } catch {
                throw .refused(0)
            }
        }
    }

    /// Everything that is ever said to the database once it is open.
    struct DiskStatements {
        let begin: SQLiteStatement
        let commit: SQLiteStatement
        let rollback: SQLiteStatement
        let secret: SQLiteStatement
        let insertEntry: SQLiteStatement
        let insertPiece: SQLiteStatement
        let entriesOfVariant: SQLiteStatement
        let entriesOfResource: SQLiteStatement
        let entry: SQLiteStatement
        let piece: SQLiteStatement
        let deleteEntry: SQLiteStatement
        let deletePieces: SQLiteStatement
        let update: SQLiteStatement
        let touch: SQLiteStatement
        let leastUsed: SQLiteStatement
        let nextEntry: SQLiteStatement
        let nextPiece: SQLiteStatement
        let resourcesFrom: SQLiteStatement
        let recentResources: SQLiteStatement
        let dataVersion: SQLiteStatement
        let pageCount: SQLiteStatement
        let freeCount: SQLiteStatement

        init(_ database: SQLiteDatabase) throws(SQLiteFailure) {
            func make(_ sql: String) throws(SQLiteFailure) -> SQLiteStatement {
                try SQLiteStatement(sql, database)
            }
            begin = try make("BEGIN IMMEDIATE")
            commit = try make("COMMIT")
            rollback = try make("ROLLBACK")
            secret = try make("SELECT value FROM secret")
            insertEntry = try make("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
            insertPiece = try make("INSERT INTO pieces VALUES (?, ?, ?)")
            entriesOfVariant = try make(
                "SELECT id, pieces FROM entries WHERE resource = ? AND variant = ?")
            entriesOfResource = try make(
                "SELECT id, pieces FROM entries WHERE resource = ? ORDER BY id DESC LIMIT 64")
            entry = try make(
                """
                SELECT resource, variant, used, pieces, mark, form, body, checksum
                FROM entries WHERE id = ?
                """)
            piece = try make("SELECT data, checksum FROM pieces WHERE id = ?")
            deleteEntry = try make("DELETE FROM entries WHERE id = ?")
            deletePieces = try make("DELETE FROM pieces WHERE id BETWEEN ? AND ?")
            update = try make(
                "UPDATE entries SET variant = ?, mark = ?, form = ?, checksum = ? WHERE id = ?")
            touch = try make("UPDATE entries SET used = ? WHERE id = ?")
            leastUsed = try make("SELECT id, pieces FROM entries ORDER BY used LIMIT 1")
            nextEntry = try make(
                "SELECT id, pieces FROM entries WHERE id >= ? ORDER BY id LIMIT 1")
            nextPiece = try make("SELECT id FROM pieces WHERE id >= ? ORDER BY id LIMIT 1")
            // In the index alone.
            resourcesFrom = try make(
                "SELECT resource FROM entries WHERE resource > ? ORDER BY resource LIMIT ?")
            recentResources = try make(
                "SELECT id, resource FROM entries WHERE id > ? ORDER BY id LIMIT ?")
            dataVersion = try make("PRAGMA data_version")
            pageCount = try make("PRAGMA page_count")
            freeCount = try make("PRAGMA freelist_count")
        }
    }
#endif
