// Stored responses to put into stores, and places for their files.

package import FetchBytes
package import FetchCache
package import FetchHTTP
package import FetchTime
import Glibc
import TestSupport

/// Deterministic chance.
package struct Chance: RandomNumberGenerator {
    private var state: UInt64

    package init(state: UInt64) { self.state = state }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

package enum Sample {
    /// 2026-11-21T00:00:00Z.
    package static let start: Int64 = 1_795_219_200

    /// So many seconds behind the start.
    package static func now(_ seconds: Double = 0) -> Now {
        let nanoseconds = Int64(seconds * 1_000_000_000)
        return Now(
            instant: Instant(nanoseconds: 1_000_000_000_000 + nanoseconds),
            wall: Timestamp(seconds: start).adding(nanoseconds: nanoseconds))
    }

    package static func target(_ path: String) -> Target {
        do {
            return try Target("http://example.com" + path)
        } catch {
            preconditionFailure("\(path) is no path: \(error)")
        }
    }

    package static func request(
        _ path: String, fields: [(String, String)] = [], _ partition: CachePartition = .open
    ) -> CacheRequest {
        do {
            return CacheRequest(.get, target(path), try Headers(fields), partition: partition)
        } catch {
            preconditionFailure("\(fields) may not be sent: \(error)")
        }
    }

    package static func key(_ path: String, _ partition: CachePartition = .open) -> CacheKey {
        CacheKey(target(path), partition)
    }

    package static func section(_ fields: [(String, String)]) -> FieldSection {
        var builder = FieldSectionBuilder()
        for (name, value) in fields { builder.append(name, value) }
        return builder.build()
    }

    package static func response(
        _ path: String, _ body: Bytes, fields: [(String, String)] = [],
        request: [(String, String)] = [], _ partition: CachePartition = .open, at now: Now = now(),
        onlyInMemory: Bool = false
    ) -> CachedResponse {
        let all = [("Cache-Control", "max-age=600"), ("ETag", "\"a\"")] + fields
        let facts = ResponseFacts(200, section(all), received: now.wall.seconds)
        return CachedResponse(
            self.request(path, fields: request, partition), facts, reason: Bytes("OK"), body: body,
            ResponseTimes(request: now, response: now), CacheRules(), onlyInMemory: onlyInMemory)
    }

    package static func response(_ path: String, _ body: String) -> CachedResponse {
        response(path, Bytes(body))
    }

    /// Bytes that tell from which seed they are and where they stand: each half a kibibyte is its
    /// number and the same noise.
    package static func body(_ seed: UInt64, _ count: Int) -> Bytes {
        var chance = Chance(state: seed)
        let noise = (0..<63).flatMap { _ in bytes(chance.next()) }
        var body: [UInt8] = []
        body.reserveCapacity(count + 512)
        while body.count < count {
            body += bytes(UInt64(body.count))
            body += noise
        }
        return Bytes(storage: body, range: 0..<count)
    }

    private static func bytes(_ word: UInt64) -> [UInt8] {
        withUnsafeBytes(of: word) { Array($0) }
    }

    package static func body(_ count: Int) -> Bytes { body(UInt64(count), count) }
}

/// A directory that goes with its owner.
package final class Place {
    package let directory: String
    private let ownsIt: Bool

    /// One that belongs to somebody else.
    package init(at directory: String) {
        self.directory = directory
        ownsIt = false
    }

    package init() {
        ownsIt = true
        do throws(ServerError) {
            directory = try Files.makeTemporaryDirectory("fetch-store")
        } catch {
            preconditionFailure("no place for a store: \(error)")
        }
    }

    deinit {
        if ownsIt { Self.remove(directory) }
    }

    private static func remove(_ path: String) {
        for name in Place(at: path).names { remove(path + "/" + name) }
        if Glibc.remove(path) != 0 { return }
    }

    package var names: [String] {
        guard let handle = opendir(directory) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// The sizes of all files together.
    package var bytes: Int { sizes.values.reduce(0, +) }

    /// By name.
    package var sizes: [String: Int] {
        var sizes: [String: Int] = [:]
        for name in names {
            var facts = stat()
            if stat(directory + "/" + name, &facts) == 0 { sizes[name] = Int(facts.st_size) }
        }
        return sizes
    }

    package static func read(_ path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var facts = stat()
        fstat(descriptor, &facts)
        var bytes = [UInt8](repeating: 0, count: Int(facts.st_size))
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        return Array(bytes.prefix(max(count, 0)))
    }

    package static func write(_ path: String, _ bytes: [UInt8]) {
        let descriptor = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0o600)
        guard descriptor >= 0 else { return }
        _ = Glibc.write(descriptor, bytes, bytes.count)
        close(descriptor)
    }

    package static func mode(_ path: String) -> UInt32 {
        var facts = stat()
        return lstat(path, &facts) == 0 ? facts.st_mode & 0o7777 : 0
    }
}
