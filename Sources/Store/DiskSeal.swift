// DiskSeal: how rows are named and protected. A value of the store on disk; its thread.
//
// Hashes are keyed, so that nobody can choose URIs that share one. The key is drawn with the file;
// where rows are sealed it comes of the sealing key as well, and whoever has the file alone can't
// find out whether a URI is in it. What is sealed is bound to its row: no row opens in another's
// place.

#if SQLite
    internal import FetchBytes
    internal import FetchCache
    internal import FetchCrypto

    struct DiskSeal {
        private let key: SealingKey?
        let digestKey: DigestKey
        /// For partitions: alike for all processes that use the file.
        let partitionKey: DigestKey

        init(_ sealingKey: Bytes?, secret: Bytes) throws(CryptoError) {
            var secret = secret
            if let sealingKey {
                key = try SealingKey(sealingKey)
                secret = try SHA256.authenticationCode(secret.span, key: sealingKey.span)
            } else {
                key = nil
            }
            digestKey = DigestKey(secret)
            partitionKey = try DigestKey(forPartitionsFrom: secret.span)
        }

        /// The name of what is sealed with a key: part of its file's name.
        static func name(of sealingKey: Bytes) throws(CryptoError) -> String {
            let label = Bytes("file")
            let code = try SHA256.authenticationCode(label.span, key: sealingKey.span)
            return code.prefix(8).map { byte in
                let text = String(byte, radix: 16)
                return text.utf8.count == 1 ? "0" + text : text
            }.joined()
        }

        /// A URI in the table.
        func resource(_ uri: Bytes) -> Int64 { Self.resource(uri.span, digestKey) }

        static func resource(_ uri: Span<UInt8>, _ key: DigestKey) -> Int64 {
            var digest = KeyedDigest(key)
            digest.append(uri)
            return Int64(bitPattern: digest.finish().low)
        }

        /// What one stored response takes another's place for: the same credentials, the same
        /// selecting fields, the same part.
        func variant(_ response: CachedResponse) -> Int64 {
            var digest = KeyedDigest(digestKey)
            digest.append(response.facts.partition.digest.low)
            digest.append(response.facts.partition.digest.high)
            if case .part(let range, let length) = response.facts.content {
                for number in [range.lowerBound, range.upperBound, length] {
                    digest.append(UInt64(number))
                }
            }
            digest.append(response.selectingBytes.span)
            return Int64(bitPattern: digest.finish().low)
        }

        /// Tells one form from another.
        func mark(_ form: Bytes) -> Int64 {
            var digest = KeyedDigest(digestKey)
            digest.append(form.span)
            return Int64(bitPattern: digest.finish().low)
        }

        // MARK: Sealing

        /// Which row: an entry's form is number −1, its pieces are 0 and on.
        private static func place(_ id: Int64, _ number: Int) -> [UInt8] {
            [UInt64(bitPattern: id), UInt64(bitPattern: Int64(number))].flatMap { word in
                (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
            }
        }

        func seal(_ bytes: Bytes, _ id: Int64, _ number: Int) throws(CryptoError) -> Bytes {
            guard let key else { return bytes }
            let place = Self.place(id, number)
            return try key.seal(bytes.span, associated: place.span)
        }

        func open(_ bytes: Bytes, _ id: Int64, _ number: Int) throws(CryptoError) -> Bytes {
            guard let key else { return bytes }
            let place = Self.place(id, number)
            return try key.open(bytes.span, associated: place.span)
        }
    }

    /// Checksums of rows.
    enum RowChecksum {
        static func entry(
            _ id: Int64, _ resource: Int64, _ variant: Int64, _ pieces: Int, _ mark: Int64,
            _ form: Bytes, _ body: Bytes
        ) -> Int64 {
            var checksum = Checksum()
            for number in [id, resource, variant, Int64(pieces), mark] { checksum.append(number) }
            checksum.append(form.span)
            checksum.append(body.span)
            return checksum.value
        }

        static func piece(_ id: Int64, _ data: Bytes) -> Int64 {
            var checksum = Checksum()
            checksum.append(id)
            checksum.append(data.span)
            return checksum.value
        }
    }
#endif
