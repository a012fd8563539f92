// Which room may import which: the design's table, as data.
//
// The keys are folders, the values modules. What the compiler can't hold (a module that comes by
// way of another room, C modules included) is held here.

/// What one room may import, the standard library aside.
struct Room: Sendable {
    let modules: Set<String>
    /// True where the design says "anything": benchmarks and tests.
    let takesAnything: Bool

    /// A room of the library: exactly these modules.
    static func only(_ modules: String...) -> Room {
        Room(modules: Set(modules), takesAnything: false)
    }

    /// A room of the library that may import every Swift room of `rooms`, and these besides.
    static func above(_ rooms: Set<String>, _ modules: String...) -> Room {
        Room(modules: rooms.union(modules), takesAnything: false)
    }

    static let anything = Room(modules: [], takesAnything: true)
}

/// The table.
enum Rooms {
    /// The Swift rooms under Engine.
    private static let belowEngine: Set<String> = [
        "FetchBytes", "FetchTime", "FetchIDN", "FetchHTTP", "FetchHTTP1", "FetchCoding",
        "FetchCrypto", "FetchPublicSuffix", "FetchTLS", "FetchReactor", "FetchTransport",
        "FetchPolicy", "FetchCache", "FetchRoad", "FetchStore",
    ]

    private static let all = belowEngine.union(["FetchEngine"])

    /// Glibc where system calls are made, and in Bytes for memchr and its kin; Synchronization
    /// where threads meet; Dispatch in Reactor, for the main queue; Glibc in TLS for files of
    /// certificates, the key log and the environment. Other pure rooms do without.
    static let table: [String: Room] = [
        "Sources/Bytes": .only("Glibc"),
        "Sources/Time": .only(),
        "Sources/IDN": .only("CFetchIdn2"),
        "Sources/HTTP": .only("FetchBytes", "FetchIDN", "HTTPTypes"),
        "Sources/HTTP1": .only("FetchHTTP", "FetchBytes"),
        "Sources/Coding": .only("FetchBytes", "CFetchZlib", "CFetchBrotli", "CFetchZstd"),
        "Sources/Crypto": .only("FetchBytes", "CFetchOpenSSL"),
        "Sources/PublicSuffix": .only("CFetchPsl"),
        "Sources/TLS": .only("FetchBytes", "FetchCrypto", "CFetchOpenSSL", "Glibc"),
        "Sources/Reactor": .only(
            "FetchTime", "CFetchLinux", "Glibc", "Synchronization", "Dispatch", "_Concurrency"),
        "Sources/Transport": .only(
            "FetchReactor", "FetchTLS", "FetchBytes", "FetchTime", "CFetchAres", "Glibc"),
        "Sources/Policy": .only("FetchHTTP", "FetchTime", "FetchBytes"),
        "Sources/Cache": .only("FetchHTTP", "FetchTime", "FetchBytes"),
        "Sources/Road": .only("FetchHTTP", "FetchTime", "FetchPolicy", "FetchCache"),
        "Sources/Store": .only(
            "FetchCache", "FetchReactor", "FetchHTTP", "FetchBytes", "FetchTime", "FetchCrypto",
            "CFetchSQLite", "Glibc"),
        "Sources/Engine": .above(belowEngine, "Glibc"),
        "Sources/Fetch": .above(
            all, "HTTPTypes", "FoundationEssentials", "Glibc", "Synchronization"),
        "Sources/FetchCommand": .above(
            all, "Fetch", "HTTPTypes", "ArgumentParser", "FoundationEssentials", "CFetchLinux",
            "Glibc", "Synchronization", "Dispatch"),
        "Benchmarks/Bench": .anything,
        "Tests/TestSupport": .anything,
        "Tests/MockServer": .anything,
        "Tests/ReactorProbe": .anything,
        "Tests/FetchProbe": .anything,
        "Tests/StoreProbe": .anything,
    ]

    /// The room of a folder: nil when the table doesn't know it. C rooms hold no Swift, so no Swift
    /// file may stand in one; test targets and examples import what they like.
    static func room(_ folder: String) -> Room? {
        if let room = table[folder] { return room }
        let isTest = folder.hasPrefix("Tests/") && folder.hasSuffix("Tests")
        let isExample = folder.hasPrefix("Snippets/") || folder.hasPrefix("Examples/")
        return isTest || isExample ? .anything : nil
    }

    /// Full Foundation brings ICU and 40 MB; only test targets may hold it.
    static func mayImportFoundation(_ folder: String) -> Bool {
        folder.hasPrefix("Tests/") && folder.hasSuffix("Tests")
    }
}
