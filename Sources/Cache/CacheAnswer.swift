// CacheAnswer: what a caller gets of a stored response (RFC 9111 sections 4 and 5.1). A value; any
// thread. Fields are put together when asked for: a caller who reads status and body pays for none.

package import FetchBytes
package import FetchHTTP
package import FetchTime

/// A stored response as the answer to a request.
package struct CacheAnswer: Equatable, Sendable {
    package enum Form: Equatable, Sendable {
        /// As it is stored.
        case whole
        /// Without its body: the request was HEAD.
        case head
        /// 304: the caller has it already.
        case notModified
        /// 206: these bytes of the whole.
        case part(Range<Int>)
    }

    package let response: CachedResponse
    package let form: Form
    /// Seconds: the Age field.
    package let age: Int64

    package init(_ response: CachedResponse, _ form: Form, age: Int64) {
        self.response = response
        self.form = form
        self.age = age
    }

    package var status: UInt16 {
        switch form {
        case .whole, .head: response.status
        case .notModified: 304
        case .part: 206
        }
    }

    /// The reason phrase.
    package var reason: Bytes {
        switch form {
        case .whole, .head: response.reasonBytes
        case .notModified: Bytes("Not Modified")
        case .part: Bytes("Partial Content")
        }
    }

    /// The first value of a field; no section is made for it where the stored one has it.
    package func field(_ name: String) -> String? {
        if ASCII.equalsIgnoringCase(name.utf8.span, "age") { return "\(age)" }
        switch form {
        case .whole, .head: return response.fields[name]
        case .notModified, .part: return fields[name]
        }
    }

    /// The content, over the stored body's storage.
    package var body: Bytes {
        switch form {
        case .whole: return response.body
        case .head, .notModified: return Bytes()
        case .part(let range):
            switch response.facts.content {
            case .whole: return response.body.slice(range)
            case .part(let there, _):
                let start = range.lowerBound - there.lowerBound
                return response.body.slice(start..<start + range.count)
            }
        }
    }

    /// The fields, Age among them.
    package var fields: FieldSection {
        var builder = FieldSectionBuilder()
        let stored = storedFields
        for index in 0..<stored.count
        where form != .notModified || Self.isOfNotModified(stored.nameSpan(at: index)) {
            builder.append(stored, at: index)
        }
        builder.append("Age", "\(age)")
        return builder.build()
    }

    private var storedFields: FieldSection {
        switch form {
        case .whole, .head, .notModified: response.fields
        case .part(let range):
            // One that is asked for in full is a part all the same.
            range.count == response.wholeLength
                ? Self.fieldsOfAll(response)
                : PartialContent.fields(response.fields, range, response.wholeLength)
        }
    }

    private static func fieldsOfAll(_ response: CachedResponse) -> FieldSection {
        var builder = FieldSectionBuilder()
        for index in 0..<response.fields.count
        where !ASCII.equalsIgnoringCase(response.fields.nameSpan(at: index), "content-range") {
            builder.append(response.fields, at: index)
        }
        let content = ContentRange(
            range: 0..<response.wholeLength, length: response.wholeLength)
        builder.append("Content-Range", content.text)
        return builder.build()
    }

    /// RFC 9110 section 15.4.5: what a 304 says of the 200 it stands for.
    private static func isOfNotModified(_ name: Span<UInt8>) -> Bool {
        let names: [StaticString] = [
            "cache-control", "content-location", "date", "etag", "expires", "vary",
            "last-modified",
        ]
        for literal in names where ASCII.equalsIgnoringCase(name, literal) { return true }
        return false
    }
}

extension CacheStatus {
    /// Of a fresh stored response that was found at a glance.
    package init(hit response: CachedResponse, now: Now) {
        self.init(cache: "swift-fetch")
        isHit = true
        timeToLive = response.timeToLiveSeconds(now)
    }
}
