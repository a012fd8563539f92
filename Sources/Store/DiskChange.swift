// DiskChange: what is still to be written, and how far it has come. Values in the store's queue.

#if SQLite
    internal import FetchBytes
    internal import FetchCache
    internal import FetchHTTP

    enum DiskChange {
        case store(DiskStoring)
        /// The same body under newer fields.
        case replace(CachedResponse, with: CachedResponse, CacheRules)
        case remove(CachedResponse)
        case purge(DiskPurging)
        case touch(id: Int64, used: Int64)

        /// Bytes of bodies that wait with it.
        var bodyBytes: Int {
            switch self {
            case .store(let storing): storing.response.body.count
            case .replace, .remove, .purge, .touch: 0
            }
        }

        /// Whether doing without it is harmless: the cache then holds less, and nothing wrong.
        var mayBeDropped: Bool {
            switch self {
            case .store, .touch, .replace: true
            case .remove, .purge: false
            }
        }
    }

    /// A response on its way into the file.
    struct DiskStoring {
        let response: CachedResponse
        let rules: CacheRules
        /// Given at the first step.
        var id: Int64 = 0
        /// Pieces that are written.
        var written = 0

        init(_ response: CachedResponse, _ rules: CacheRules) {
            self.response = response
            self.rules = rules
        }

        var pieces: Int {
            let count = response.body.count
            guard count > DiskStore.inlineBytes else { return 0 }
            return (count + DiskStore.pieceBytes - 1) / DiskStore.pieceBytes
        }

        /// The bytes of the next piece.
        var next: Bytes {
            let start = written * DiskStore.pieceBytes
            let body = response.body
            return body.slice(start..<min(start + DiskStore.pieceBytes, body.count))
        }
    }

    /// What is being forgotten.
    struct DiskPurging {
        let purge: CachePurge
        /// Entries before this one have been looked at.
        var from: Int64 = 0

        init(_ purge: CachePurge) {
            self.purge = purge
        }

        func takes(_ uri: Bytes, hash: UInt64?) -> Bool {
            switch purge {
            case .resource(let target): target.isResource(uri.span)
            case .prefix(let prefix): uri.starts(with: prefix.utf8)
            case .everything: true
            }
        }
    }

    /// A look-up on its way.
    struct DiskFinding {
        let key: CacheKey
        let rules: CacheRules
        let answer: ([CachedResponse]) -> Void
        /// Entries that are still to be read, the newest last; nil before they are known.
        var entries: [Int64]?
        /// The entry whose pieces are being read.
        var reading: DiskReading?
        var found: [CachedResponse] = []
        var foundBytes = 0
        /// What it would find was made doubtful meanwhile.
        var isVoid = false
    }

    /// An entry whose pieces are being read.
    struct DiskReading {
        let id: Int64
        let form: Bytes
        let pieces: Int
        var used: Int64
        var read = 0
        var body: [UInt8] = []
    }
#endif
