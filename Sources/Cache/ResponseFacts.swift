// ResponseFacts: what a response's head says about storing, age and identity, read once (RFC 9110
// sections 6.6.1, 8.8, 12.5.5; RFC 9111 sections 5.1 to 5.3). A value; any thread.

package import FetchHTTP
internal import FetchBytes

/// A response's head, read by a cache.
package struct ResponseFacts: Sendable {
    /// The Expires field.
    package enum Expires: Equatable, Sendable {
        case absent
        /// There, and no date: in the past (RFC 9111 section 5.3).
        case invalid
        /// Seconds since the epoch.
        case at(Int64)
    }

    package let status: UInt16
    package let fields: FieldSection
    package let control: ResponseCacheControl
    /// Seconds since the epoch: when it was made, or came, where it doesn't say.
    package let date: Int64
    /// Whether its Date can be read.
    package let hasDate: Bool
    package let expires: Expires
    /// Seconds; 0 where it doesn't say, or says nothing that can be read.
    package let age: Int64
    /// Seconds since the epoch.
    package let lastModified: Int64?
    package let entityTag: EntityTag?
    package let vary: VaryField

    /// Which fields are there.
    package let kinds: StorableFields

    /// - Parameter received: the wall clock in seconds when the head came.
    package init(_ status: UInt16, _ fields: FieldSection, received: Int64) {
        let kinds = StorableFields(of: fields)
        self.status = status
        self.fields = fields
        self.kinds = kinds
        control =
            kinds.contains(.cacheControl) ? ResponseCacheControl(fields) : ResponseCacheControl()
        let date = kinds.contains(.date) ? Self.date("date", fields, received) : nil
        self.date = date ?? received
        hasDate = date != nil
        if kinds.contains(.expires) {
            expires = Self.date("expires", fields, received).map { .at($0) } ?? .invalid
        } else {
            expires = .absent
        }
        age = kinds.contains(.age) ? DeltaSeconds.age(fields) ?? 0 : 0
        lastModified =
            kinds.contains(.lastModified) ? Self.date("last-modified", fields, received) : nil
        entityTag = kinds.contains(.entityTag) ? EntityTag(of: fields) : nil
        vary = kinds.contains(.vary) ? VaryField(fields) : .nothing
    }

    /// The date in the first field of a name.
    private static func date(_ name: String, _ fields: FieldSection, _ now: Int64) -> Int64? {
        guard let index = fields.firstIndex(of: name) else { return nil }
        return HTTPDate.seconds(fields.valueSpan(at: index), now: now)
    }

    /// Whether it sets a cookie.
    var setsCookie: Bool { kinds.contains(.setCookie) }

    /// Whether it can be asked after: a tag or a date of its representation.
    var hasValidator: Bool { entityTag != nil || lastModified != nil }

    /// RFC 9110 section 15.1.
    var isHeuristicallyCacheable: Bool {
        switch status {
        case 200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501: true
        default: false
        }
    }

    /// Whether the status is one that RFC 9110 defines, whose caching is understood here.
    var isUnderstood: Bool {
        switch status {
        case 200...206, 300...305, 307, 308, 400...417, 421, 422, 426, 500...505: true
        default: false
        }
    }
}
