// A sealed file shows nothing, and opens with its key alone.

#if SQLite
    import FetchBytes
    import FetchCache
    import FetchCrypto
    import FetchHTTP
    import FetchStore
    import StoreProbe
    import Testing

    struct SealedDiskTests {
        private let place = Place()
        private let key = Bytes([UInt8](repeating: 7, count: 32))

        private func contains(_ bytes: [UInt8], _ text: String) -> Bool {
            let text = Array(text.utf8)
            guard bytes.count >= text.count else { return false }
            return (0...(bytes.count - text.count)).contains { start in
                bytes[start] == text[0]
                    && bytes[start..<(start + text.count)].elementsEqual(text)
            }
        }

        /// Everything in the directory.
        private var files: [UInt8] {
            let directory = place.directory + "/.fetch_cache"
            return Place(at: directory).names.flatMap { Place.read(directory + "/" + $0) }
        }

        private func fill(_ key: Bytes?) throws {
            let disk = try Disk(place) { $0.sealingKey = key }
            disk.put(
                Sample.response(
                    "/secret-path", Bytes("a secret body"), fields: [("X", "secret-x")]),
                Sample.response(
                    "/large", Bytes([UInt8](repeating: 0x41, count: 100_000))))
        }

        private let secrets = [
            "secret-path", "secret body", "secret-x", "AAAAAAAAAAAAAAAA", "example",
        ]

        @Test func `a sealed file holds no plain text`() throws {
            try fill(key)
            for secret in secrets { #expect(!contains(files, secret)) }
        }

        @Test func `one that isn't sealed does`() throws {
            try fill(nil)
            for secret in secrets { #expect(contains(files, secret)) }
        }

        @Test func `it opens with its key alone`() throws {
            try fill(key)
            let disk = try Disk(place) { $0.sealingKey = key }
            #expect(disk.body("/secret-path") == Bytes("a secret body"))
            #expect(disk.body("/large")?.count == 100_000)
            let other = try Disk(place) {
                $0.sealingKey = Bytes([UInt8](repeating: 8, count: 32))
            }
            #expect(other.find("/secret-path").isEmpty && other.store.counters.replaced == 0)
            #expect(try Disk(place).find("/secret-path").isEmpty)
            // Whose key is another's uses another file.
            #expect(disk.body("/secret-path") == Bytes("a secret body"))
        }

        @Test func `purges by prefix know what is sealed`() throws {
            try fill(key)
            let disk = try Disk(place) { $0.sealingKey = key }
            disk.store.purge(.prefix("http://example.com/secret"))
            disk.settle()
            #expect(disk.find("/secret-path").isEmpty && disk.find("/large").count == 1)
        }

        @Test func `partitions are named alike in every process`() throws {
            for sealingKey in [nil, key] {
                let one = try Disk(place) { $0.sealingKey = sealingKey }
                let other = try Disk(place) { $0.sealingKey = sealingKey }
                let keys = [one, other].map { disk -> Digest? in
                    disk.store.partitionKey.map { key in
                        let digest = KeyedDigest(key)
                        return digest.finish()
                    }
                }
                #expect(keys[0] != nil && keys[0] == keys[1])
            }
        }

        @Test func `a key of another size is refused`() {
            #expect(throws: CryptoError.keySize(5)) {
                try Disk(place) { $0.sealingKey = Bytes("short") }
            }
        }
    }
#endif
