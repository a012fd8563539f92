// Validation: asking the origin whether what is stored still holds, and understanding its answer
// (RFC 9111 sections 4.3.1, 4.3.4, 4.3.5). Pure; any thread.

internal import FetchBytes
internal import FetchHTTP
internal import FetchTime

/// Makes conditional requests and reads 304s.
enum Validation {
    /// The most tags that one request asks after.
    static let mostTags = 8

    /// The conditions that ask after one stored response; none where it has no validators.
    static func conditions(for stored: CachedResponse) -> [FieldLine] {
        var fields = tags(of: [stored])
        if let modified = stored.lastModified {
            fields.append(FieldLine("If-Modified-Since", modified.field))
        }
        return fields
    }

    /// The condition that asks which of several stored responses would do; a date says too little.
    static func tags(of stored: [CachedResponse]) -> [FieldLine] {
        let tags = stored.compactMap(\.entityTag).prefix(mostTags)
        guard !tags.isEmpty else { return [] }
        var value: [UInt8] = []
        for tag in tags {
            if !value.isEmpty { value += [UInt8(ascii: ","), UInt8(ascii: " ")] }
            value += tag.field
        }
        return [FieldLine("If-None-Match", Bytes(value))]
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
    ///   - selected: what the request selects. Another one is meant only where it was asked after,
    ///     and its strong tag is the answer's: nothing less tells the bytes of two variants apart.
    static func identified(
        by answer: ResponseFacts, nominated: [CachedResponse], selected: [CachedResponse]
    ) -> [CachedResponse] {
        let known = nominated + selected.filter { !nominated.contains($0) }
        if let tag = answer.entityTag, !tag.isWeak {
            let same = known.filter { $0.entityTag?.matchesStrongly(tag) ?? false }
            if !same.isEmpty { return same }
        }
        guard nominated.allSatisfy(selected.contains) else { return [] }
        if let tag = answer.entityTag {
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
