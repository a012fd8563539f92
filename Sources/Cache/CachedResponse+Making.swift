// How stored responses are made: of a response that came, of a stored one and a newer head, of a
// part and another part (RFC 9111 sections 3.1, 3.2, 3.4, 4.3.4). Pure; any thread.

package import FetchBytes
package import FetchHTTP
internal import FetchTime

extension CachedResponse {
    /// A response as it came. `body` is all of its content; `vary` is told where its own isn't what
    /// chose it.
    package convenience init(
        _ request: CacheRequest, _ response: ResponseFacts, reason: Bytes = Bytes(), body: Bytes,
        content: Content = .whole, _ times: ResponseTimes, _ rules: CacheRules,
        selectedBy vary: VaryField? = nil, onlyInMemory: Bool = false
    ) {
        var builder = FieldSectionBuilder()
        Self.appendStatusLine(response.status, reason, to: &builder)
        StoredFields.append(
            response, rules, received: times.response.wall.seconds, to: &builder)
        var facts = Self.facts(response, times, rules)
        facts.content = content
        facts.body = body.compact
        facts.partition = request.partition
        facts.targetHash = request.target.resourceHash
        facts.onlyInMemory = onlyInMemory
        Self.finish(
            &facts, &builder, Array(request.target.resourceText.utf8),
            SelectingFields.bytes(request, vary ?? response.vary))
        self.init(facts)
    }

    /// This response with its fields as a newer head changes them, and its age and freshness
    /// counted from that one. The body is shared.
    ///
    /// - Parameters:
    ///   - request: the request that the newer head answers.
    ///   - forCaller: with what the newer head brings and forbids to keep.
    package func updated(
        by newer: ResponseFacts, _ times: ResponseTimes, _ rules: CacheRules,
        selectedBy request: CacheRequest, forCaller: Bool = false
    ) -> CachedResponse {
        let received = times.response.wall.seconds
        var builder = FieldSectionBuilder()
        Self.appendStatusLine(status, reasonBytes, to: &builder)
        // It was found to hold by its weak tag, and is no more than that.
        let isWeak = entityTag?.isWeak ?? false
        StoredFields.merge(
            fields, with: newer, rules, received: received, forCaller: forCaller,
            keepsTag: isWeak && !(newer.entityTag?.isWeak ?? true), to: &builder)
        let merged = ResponseFacts(status, builder.build(), received: received)
        var facts = Self.facts(merged, times, rules, age: newer.age)
        facts.content = self.facts.content
        facts.body = body
        facts.partition = self.facts.partition
        facts.targetHash = self.facts.targetHash
        facts.onlyInMemory = self.facts.onlyInMemory
        var selecting = Array(selectingBytes)
        if merged.vary != .nothing {
            selecting = SelectingFields.bytes(request, merged.vary)
        }
        Self.finish(&facts, &builder, Array(uriBytes), selecting)
        return CachedResponse(facts)
    }

    /// The same, and not to be written anywhere.
    var keptInMemory: CachedResponse {
        guard !facts.onlyInMemory else { return self }
        var facts = facts
        facts.onlyInMemory = true
        return CachedResponse(facts)
    }

    /// The reason phrase as it came.
    package var reasonBytes: Bytes {
        // "HTTP/1.1 200 " in front, CR LF behind.
        let line = fields.receivedBytes(0..<statusLineCount)
        return line.slice(13..<line.count - 2)
    }

    /// Bytes of the status line, CR LF included.
    package var statusLineCount: Int {
        let all = fields.receivedBytes(0..<facts.uri.lowerBound)
        var index = 13
        while index + 1 < all.count, all[index] != 0x0d { index += 1 }
        return index + 2
    }

    private static func facts(
        _ response: ResponseFacts, _ times: ResponseTimes, _ rules: CacheRules,
        age: Int64? = nil
    ) -> Facts {
        var freshness = Freshness(response, times, rules)
        if let age, freshness.source != .forced {
            // Age is not among the stored fields: the newer head's is the one that counts.
            let delay = max(0, times.response.instant.nanoseconds(since: times.request.instant))
            let initial = max(
                freshness.initialAge, Nanoseconds.sum(Nanoseconds.of(age), delay))
            freshness = Freshness(
                lifetime: freshness.lifetime, source: freshness.source, initialAge: initial)
        }
        var facts = Facts(times: times, freshness: freshness)
        facts.status = response.status
        facts.date = response.date
        facts.control = StaleControl(response.control, rules)
        return facts
    }

    private static func appendStatusLine(
        _ status: UInt16, _ reason: Bytes, to builder: inout FieldSectionBuilder
    ) {
        _ = builder.appendAside("HTTP/1.1 \(status) ")
        _ = builder.appendAside(reason.span)
        _ = builder.appendAside("\r\n")
    }

    /// Closes the head and puts behind it what no field speaks of.
    private static func finish(
        _ facts: inout Facts, _ builder: inout FieldSectionBuilder, _ uri: [UInt8],
        _ selecting: [UInt8]
    ) {
        _ = builder.appendAside("\r\n")
        facts.uri = builder.appendAside(uri.span)
        facts.selecting = builder.appendAside(selecting.span)
        facts.fields = builder.build()
    }
}
