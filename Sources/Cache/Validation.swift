// Validation: asking the origin whether what is stored still holds, and understanding its answer
// (RFC 9111 sections 4.3.1, 4.3.4, 4.3.5). Pure; any thread.

internal import FetchBytes
internal import FetchHTTP
internal import FetchTime

/// Makes conditional requests and reads 304s.
enum Validation {
    /// The most tags that one request asks after.
    static let mostTags = 8

    /// The conditions that ask after stored responses; none where they have no validators.
    ///
    /// A date says too little where several are asked after.
    static func conditions(for stored: [CachedResponse]) -> [FieldLine] {
        var fields: [FieldLine] = []
        let tags = stored.compactMap(\.entityTag).prefix(mostTags)
        if !tags.isEmpty {
            var value: [UInt8] = []
            for tag in tags {
                if !value.isEmpty { value += [UInt8(ascii: ","), UInt8(ascii: " ")] }
                value += tag.field
            }
            fields.append(FieldLine("If-None-Match", Bytes(value)))
        }
        if stored.count == 1, let modified = stored.first?.lastModified {
            fields.append(FieldLine("If-Modified-Since", modified.field))
        }
        return fields
    }

    /// Whether a 304 can be asked for: the content must have been sent with a success.
    static func canValidate(_ stored: CachedResponse) -> Bool {
        [200, 203, 206].contains(stored.status)
            && (stored.entityTag != nil || stored.lastModified != nil)
    }

    /// Which stored responses a 304 speaks of, the one that answers the request first (section
    /// 4.3.4).
    ///
    /// - Parameters:
    ///   - nominated: those whose validators were sent; empty where the caller's were.
    ///   - stored: all that are stored under the key.
    static func identified(
        by answer: ResponseFacts, nominated: [CachedResponse], stored: [CachedResponse]
    ) -> [CachedResponse] {
        let known = nominated + stored.filter { !nominated.contains($0) }
        if let tag = answer.entityTag {
            if !tag.isWeak {
                let same = known.filter { $0.entityTag?.matchesStrongly(tag) ?? false }
                if !same.isEmpty { return same }
            }
            // A server that compresses on the way out weakens the tag of a 200 and not that of a
            // 304: what was asked after by its weak tag is what the 304 speaks of.
            let candidates = tag.isWeak ? known : nominated
            return mostRecent(candidates.filter { $0.entityTag?.matchesWeakly(tag) ?? false })
        }
        if let modified = answer.lastModified {
            return mostRecent(known.filter { $0.lastModified?.seconds == modified })
        }
        // Nothing to tell by: only what was asked after alone can be meant.
        if nominated.count == 1 { return nominated }
        guard nominated.isEmpty, known.count == 1, known[0].entityTag == nil,
            known[0].lastModified == nil
        else { return [] }
        return known
    }

    private static func mostRecent(_ stored: [CachedResponse]) -> [CachedResponse] {
        stored.max { $1.isMoreRecent(than: $0) }.map { [$0] } ?? []
    }

    /// Whether the answer to HEAD is about the representation that is stored (section 4.3.5).
    static func describes(_ answer: ResponseFacts, _ stored: CachedResponse) -> Bool {
        if let tag = answer.entityTag {
            guard let mine = stored.entityTag, mine == tag else { return false }
        }
        if let modified = answer.lastModified, stored.lastModified?.seconds != modified {
            return false
        }
        guard let index = answer.fields.firstIndex(of: "content-length") else { return true }
        let field = answer.fields.valueSpan(at: index)
        guard let length = DeltaSeconds.parse(field) else { return false }
        return length == Int64(stored.wholeLength)
    }
}

extension CachedResponse {
    /// Section 4: the most recent is told by its Date; of two of one second, by its arrival.
    func isMoreRecent(than other: CachedResponse) -> Bool {
        if facts.date != other.facts.date { return facts.date > other.facts.date }
        return facts.times.response.instant >= other.facts.times.response.instant
    }
}
