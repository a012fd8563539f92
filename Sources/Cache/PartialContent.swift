// PartialContent: parts of a representation: which may be kept, what they answer, how they are put
// together (RFC 9111 sections 3.3 and 3.4, RFC 9110 section 15.3.7). Pure; any thread.
//
// Parts are kept only with a known length, and put together only with the same strong tag, so that
// two of them are certainly of the same bytes. One stored part is one run of bytes: what neither
// touches nor overlaps stays apart.

internal import FetchBytes
internal import FetchHTTP
internal import FetchTime

/// Rules for parts.
package enum PartialContent {
    /// Whether a 206 may be kept at all.
    static func mayKeep(_ request: CacheRequest, _ response: ResponseFacts) -> Bool {
        // Several parts have a Content-Range each, inside (RFC 9110 section 14.6).
        request.range != nil && ContentRange(of: response.fields)?.length != nil
            && !response.hasSeveralParts
    }

    /// Whether a part that came is of a stored whole, by all lengths.
    static func fits(_ response: ResponseFacts, _ body: Bytes, into whole: CachedResponse) -> Bool {
        guard let content = ContentRange(of: response.fields) else { return false }
        return content.length == whole.wholeLength && content.range.count == body.count
    }

    /// The bytes that a request's Range means of a stored response that has them all; nil where it
    /// doesn't, or where the origin has to say.
    static func bytes(_ range: RangeRequest, of stored: CachedResponse) -> Range<Int>? {
        guard let wanted = range.resolved(length: stored.wholeLength) else { return nil }
        switch stored.facts.content {
        case .whole: return stored.status == 200 ? wanted : nil
        case .part(let there, _): return there.contains(wanted) ? wanted : nil
        }
    }

    /// A part that came, as it is stored: with the one that is there, where they are of the same
    /// representation and touch; as a whole, where nothing is missing.
    static func stored(
        _ request: CacheRequest, _ response: ResponseFacts, _ body: Bytes,
        with others: [CachedResponse], _ times: ResponseTimes, _ rules: CacheRules,
        onlyInMemory: Bool
    ) -> (response: CachedResponse, superseding: [CachedResponse])? {
        guard let content = ContentRange(of: response.fields), let length = content.length,
            content.range.count == body.count
        else { return nil }
        var range = content.range
        var body = body
        var superseded: [CachedResponse] = []
        for other in others {
            guard case .part(let there, of: length) = other.facts.content,
                other.isOfSameBytes(response), there.touches(range)
            else { continue }
            let start = min(range.lowerBound, there.lowerBound)
            let union = start..<max(range.upperBound, there.upperBound)
            guard union.count <= rules.mostBodyBytes else { continue }
            body = joined(body, range, other.body, there)
            range = union
            superseded.append(other)
        }
        let isWhole = range == 0..<length
        let received = times.response.wall.seconds
        let all = superseded.first.map { merged($0, response, rules, received) } ?? response.fields
        let facts = ResponseFacts(
            isWhole ? 200 : 206, fields(all, range, length), received: received)
        let made = CachedResponse(
            request, facts, reason: Bytes(isWhole ? "OK" : "Partial Content"), body: body,
            content: isWhole ? .whole : .part(range, of: length), times, rules,
            onlyInMemory: onlyInMemory)
        return (made, superseded)
    }

    /// A part may leave out what an earlier one said (RFC 9110 section 15.3.7).
    private static func merged(
        _ older: CachedResponse, _ newer: ResponseFacts, _ rules: CacheRules, _ received: Int64
    ) -> FieldSection {
        var builder = FieldSectionBuilder()
        StoredFields.merge(older.fields, with: newer, rules, received: received, to: &builder)
        builder.append("Age", "\(newer.age)")
        return builder.build()
    }

    /// The newer bytes where both have some; they are the same.
    private static func joined(
        _ newer: Bytes, _ range: Range<Int>, _ older: Bytes, _ there: Range<Int>
    ) -> Bytes {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(
            max(range.upperBound, there.upperBound) - min(range.lowerBound, there.lowerBound))
        if there.lowerBound < range.lowerBound {
            bytes += older.slice(0..<range.lowerBound - there.lowerBound)
        }
        bytes += newer
        if there.upperBound > range.upperBound {
            bytes += older.slice(range.upperBound - there.lowerBound..<older.count)
        }
        return Bytes(bytes)
    }

    /// Fields that say how much there is.
    static func fields(_ fields: FieldSection, _ range: Range<Int>, _ length: Int) -> FieldSection {
        var builder = FieldSectionBuilder()
        for index in 0..<fields.count {
            let name = fields.nameSpan(at: index)
            if ASCII.equalsIgnoringCase(name, "content-length")
                || ASCII.equalsIgnoringCase(name, "content-range")
            {
                continue
            }
            builder.append(fields, at: index)
        }
        builder.append("Content-Length", "\(range.count)")
        if range != 0..<length {
            builder.append("Content-Range", ContentRange(range: range, length: length).text)
        }
        return builder.build()
    }
}

extension CachedResponse {
    /// Whether a strong tag says so.
    func isOfSameBytes(_ response: ResponseFacts) -> Bool {
        guard let mine = entityTag, let tag = response.entityTag else { return false }
        return mine.matchesStrongly(tag)
    }
}

extension ResponseFacts {
    fileprivate var hasSeveralParts: Bool {
        let type = "multipart/byteranges"
        guard let index = fields.firstIndex(of: "content-type") else { return false }
        return fields.value(at: index).prefix(type.utf8.count).lowercased() == type
    }
}

extension Range<Int> {
    fileprivate func contains(_ other: Range<Int>) -> Bool {
        lowerBound <= other.lowerBound && other.upperBound <= upperBound
    }

    fileprivate func touches(_ other: Range<Int>) -> Bool {
        lowerBound <= other.upperBound && other.lowerBound <= upperBound
    }
}
