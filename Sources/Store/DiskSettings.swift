// DiskSettings: where a client's responses are kept on disk, and how many. A value; any thread.

package import FetchBytes

/// Settings of the store on disk.
package struct DiskSettings: Equatable, Sendable {
    /// Who does the writing and reading.
    package enum Offload: Equatable, Sendable {
        /// The reactor's thread, a little in each turn.
        case none
        /// One thread of its own.
        case thread
    }

    /// Made with mode 0700 where it isn't there; the one above it must be.
    package var directory = ".fetch_cache"
    /// Of all files in the directory together; less than two mebibytes are two.
    package var mostBytes = 1 << 30
    /// Seconds; nothing is kept that was stored longer ago.
    package var mostAge: Int64 = 30 * 86_400
    /// 32 bytes. With it everything is sealed by AES-256-GCM, URIs included, and a file of its own
    /// is used; without, nothing is.
    package var sealingKey: Bytes?
    package var offload = Offload.none
    /// Nanoseconds of SQLite's work in one turn of the reactor. One step, of some tens of
    /// microseconds, is always made.
    package var turnBudget: Int64 = 100_000
    /// Nanoseconds in which, at the end, what waits is still written.
    package var endBudget: Int64 = 250_000_000
    /// Bodies that wait to be written, in bytes; what comes on top isn't stored on disk.
    package var mostQueuedBytes = 64 << 20
    /// Changes that wait to be written. Where what must be forgotten would exceed it, all of the
    /// file is forgotten in its place.
    package var mostQueuedChanges = 10_000
    /// Of what is found for one look-up, in bytes of bodies.
    package var mostFoundBytes = 16 << 20

    /// Pages in the log at which it is copied into the file, a tenth of a millisecond for a dozen.
    package var logPages: Int { offload == .thread ? 48 : 12 }

    package init() {}
}

/// What a store on disk did.
package struct DiskCounters: Equatable, Sendable {
    /// Look-ups that gave something, and those that gave nothing.
    package var found = 0
    package var missed = 0
    package var stored = 0
    /// Responses that were not stored: the file was busy, or too many were waiting.
    package var dropped = 0
    /// Responses that went because of the bound on bytes, or on age.
    package var pruned = 0
    /// Rows whose checksum, seal or form was wrong; they are removed.
    package var damaged = 0
    /// Times that the file was unusable and a new one was begun.
    package var replaced = 0
    /// Times that the file was locked by somebody, and was done without.
    package var bypassed = 0

    package init() {}
}

/// What an owner may want to hear of.
package enum StoreEvent: Equatable, Sendable {
    /// The file couldn't be read and was replaced by an empty one. A warning.
    case fileReplaced(path: String, reason: String)
    /// The file can't be used at present; requests go on without it. A warning.
    case fileBypassed(path: String, reason: String)
    /// A store of the caller's own failed; the request goes on without it. A warning.
    case storeFailed(String)
}
