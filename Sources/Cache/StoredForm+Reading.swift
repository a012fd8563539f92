// How a stored response is made of the bytes that StoredForm wrote. Pure; any thread. Every byte is
// checked as if a stranger had sent it; the index of the fields is made anew.

package import FetchBytes
internal import FetchHTTP
package import FetchTime

extension CachedResponse {
    /// The response that bytes and a body are.
    ///
    /// - Parameters:
    ///   - key: what it is expected to be stored under.
    ///   - rules: under which its freshness is found anew.
    ///   - now: what both clocks say. Age is counted by the wall clock, from when it came; where
    ///     that clock was set back behind this moment, nobody knows the age, and it is stale.
    package convenience init(
        _ bytes: Bytes, body: Bytes, under key: CacheKey, _ rules: CacheRules, now: Now
    ) throws(StoredFormError) {
        let outline = try StoredForm.Outline(bytes.span)
        guard outline.partition == key.partition,
            key.target.isResource(bytes.span.extracting(outline.uri))
        else { throw .otherKey }
        guard outline.isShared == rules.isShared else { throw .otherRules }
        guard body.count == outline.bodyCount else { throw .malformed }
        let selecting = bytes.span.extracting(outline.selecting)
        guard SelectingFields.isWellFormed(selecting) else { throw .malformed }
        var builder = FieldSectionBuilder()
        try StoredForm.appendHead(
            bytes.span.extracting(outline.head), outline.status, to: &builder)
        let uri = builder.appendAside(bytes.span.extracting(outline.uri))
        let selectingRange = builder.appendAside(selecting)
        let fields = builder.build()
        let (times, isAgeKnown) = outline.times(now)
        let response = ResponseFacts(
            outline.status, fields, received: outline.received.seconds)
        var facts = Facts(
            times: times,
            freshness: outline.freshness(response, times, rules, isAgeKnown: isAgeKnown))
        facts.fields = fields
        facts.body = body.compact
        facts.status = outline.status
        facts.content = outline.content
        facts.uri = uri
        facts.selecting = selectingRange
        facts.targetHash = key.targetHash
        facts.partition = outline.partition
        facts.date = response.date
        facts.control = StaleControl(response.control, rules)
        self.init(facts)
    }
}

extension StoredForm.Outline {
    /// When it was asked for and when it came, by this process's clocks.
    fileprivate func times(_ now: Now) -> (ResponseTimes, isAgeKnown: Bool) {
        let elapsed = Nanoseconds.between(received, now.wall)
        let came = Now(
            instant: now.instant.adding(nanoseconds: -(elapsed ?? 0)), wall: received)
        let waited = min(delay, Nanoseconds.most)
        let sent = Now(
            instant: came.instant.adding(nanoseconds: -waited),
            wall: received.adding(nanoseconds: -waited))
        return (ResponseTimes(request: sent, response: came), elapsed != nil)
    }

    fileprivate func freshness(
        _ response: ResponseFacts, _ times: ResponseTimes, _ rules: CacheRules, isAgeKnown: Bool
    ) -> Freshness {
        let found = Freshness(response, times, rules)
        // The field that said how old it was when it came isn't among those that are stored.
        var age = found.source == .forced ? 0 : max(found.initialAge, initialAge)
        if !isAgeKnown { age = max(age, Nanoseconds.of(found.lifetime)) }
        return Freshness(lifetime: found.lifetime, source: found.source, initialAge: age)
    }
}

extension StoredForm {
    /// Reads status line, field lines and empty line, and writes them as `CachedResponse` keeps
    /// them.
    fileprivate static func appendHead(
        _ head: Span<UInt8>, _ status: UInt16, to builder: inout FieldSectionBuilder
    ) throws(StoredFormError) {
        var index = try endOfStatusLine(head, status)
        _ = builder.appendAside(head.extracting(0..<index))
        while true {
            guard index + 2 <= head.count else { throw .malformed }
            if head[index] == 0x0d { break }
            let nameEnd = Scan.endOfToken(head, from: index)
            guard nameEnd > index, nameEnd + 2 <= head.count,
                head[nameEnd] == UInt8(ascii: ":"), head[nameEnd + 1] == UInt8(ascii: " ")
            else { throw .malformed }
            let end = try endOfLine(head, from: nameEnd + 2)
            let value = nameEnd + 2..<end - 2
            guard ASCII.trimmed(head, value) == value else { throw .malformed }
            builder.append(
                name: head.extracting(index..<nameEnd), value: head.extracting(value))
            index = end
        }
        guard head[index + 1] == 0x0a, index + 2 == head.count else { throw .malformed }
        _ = builder.appendAside(head.extracting(index..<head.count))
    }

    /// "HTTP/1.1 200 OK" and CR LF; where the next line begins.
    private static func endOfStatusLine(
        _ head: Span<UInt8>, _ status: UInt16
    ) throws(StoredFormError) -> Int {
        let start = Array("HTTP/1.1 \(status) ".utf8)
        guard head.count > start.count else { throw .malformed }
        for index in start.indices where head[index] != start[index] { throw .malformed }
        return try endOfLine(head, from: start.count)
    }

    /// Behind the CR LF of a line.
    private static func endOfLine(
        _ head: Span<UInt8>, from start: Int
    ) throws(StoredFormError) -> Int {
        let end = Scan.endOfFieldValue(head, from: start)
        guard end + 2 <= head.count, head[end] == 0x0d, head[end + 1] == 0x0a else {
            throw .malformed
        }
        return end + 2
    }
}

extension SelectingFields {
    /// Whether bytes are what `bytes` writes: `match` walks them unchecked.
    static func isWellFormed(_ bytes: Span<UInt8>) -> Bool {
        var index = 0
        while index < bytes.count {
            guard bytes.count - index >= 8 else { return false }
            let counts = Scan.word(bytes, at: index)
            let nameCount = Int(counts & 0xffff_ffff)
            let valueCount = max(Int(counts >> 32) - 1, 0)
            index += 8
            guard nameCount > 0, bytes.count - index >= nameCount,
                Scan.endOfToken(bytes, from: index) >= index + nameCount
            else { return false }
            index += nameCount
            guard bytes.count - index >= valueCount else { return false }
            index += valueCount
        }
        return true
    }
}
