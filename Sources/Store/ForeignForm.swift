// ForeignForm: a stored response as an entry of a caller's own store, and back. Pure; any thread.
//
// The value is the count of the form's bytes (4, the lowest first), the form (StoredForm), a
// checksum of the body (8, likewise), and the body.

internal import FetchBytes
internal import FetchCache
internal import FetchHTTP
internal import FetchTime

enum ForeignForm {
    static func partition(_ partition: CachePartition) -> String {
        guard !partition.isOpen else { return "-" }
        return Hexadecimal.text(partition.digest.high) + Hexadecimal.text(partition.digest.low)
    }

    /// A digest of what tells variants apart; the same in every process.
    static func variant(_ response: CachedResponse) -> String {
        var digest = KeyedDigest(DigestKey(0x7661_7269_616e_7473, 1))
        if case .part(let range, let length) = response.facts.content {
            for number in [range.lowerBound, range.upperBound, length] {
                digest.append(UInt64(number))
            }
        }
        digest.append(response.selectingBytes.span)
        let found = digest.finish()
        return Hexadecimal.text(found.high) + Hexadecimal.text(found.low)
    }

    static func entry(_ response: CachedResponse, _ rules: CacheRules) -> CacheStoreEntry {
        let form = StoredForm.bytes(of: response, rules)
        var value: [UInt8] = []
        value.reserveCapacity(form.count + response.body.count + 12)
        append(UInt64(form.count), 4, to: &value)
        value.append(copying: form.span)
        append(checksum(response.body), 8, to: &value)
        value.append(copying: response.body.span)
        return CacheStoreEntry(
            resource: String(response.uriBytes),
            partition: partition(response.facts.partition), variant: variant(response),
            value: Bytes(value), expiry: response.expiry)
    }

    /// Nil for what is no stored response, or not one of this key.
    static func response(
        _ entry: CacheStoreEntry, _ key: CacheKey, _ rules: CacheRules, _ now: Now
    ) -> CachedResponse? {
        let value = entry.value
        guard value.count >= 12, let count = Int(exactly: number(value, at: 0, 4)),
            count <= value.count - 12
        else { return nil }
        let form = value.slice(4..<4 + count)
        let body = value.slice(count + 12..<value.count)
        guard number(value, at: 4 + count, 8) == checksum(body) else { return nil }
        do throws(StoredFormError) {
            return try CachedResponse(form, body: body, under: key, rules, now: now)
        } catch {
            return nil
        }
    }

    private static func checksum(_ body: Bytes) -> UInt64 {
        var checksum = Checksum()
        checksum.append(body.span)
        return UInt64(bitPattern: checksum.value)
    }

    private static func append(_ number: UInt64, _ count: Int, to bytes: inout [UInt8]) {
        for index in 0..<count {
            bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * index)))
        }
    }

    private static func number(_ bytes: Bytes, at start: Int, _ count: Int) -> UInt64 {
        var number: UInt64 = 0
        for index in stride(from: count - 1, through: 0, by: -1) {
            number = number << 8 | UInt64(bytes[start + index])
        }
        return number
    }
}
