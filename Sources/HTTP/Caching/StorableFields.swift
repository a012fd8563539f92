// StorableFields: which of a response's fields a cache must look at, found in one pass, so that
// most responses cost it next to nothing. A value; any thread.

internal import FetchBytes

/// Names that matter to a cache.
package struct StorableFields: OptionSet, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static var age: StorableFields { StorableFields(rawValue: 1) }
    package static var date: StorableFields { StorableFields(rawValue: 2) }
    package static var vary: StorableFields { StorableFields(rawValue: 4) }
    package static var entityTag: StorableFields { StorableFields(rawValue: 8) }
    package static var expires: StorableFields { StorableFields(rawValue: 16) }
    package static var setCookie: StorableFields { StorableFields(rawValue: 32) }
    package static var cacheControl: StorableFields { StorableFields(rawValue: 64) }
    package static var lastModified: StorableFields { StorableFields(rawValue: 128) }

    /// Without any of these a response says neither how long it is fresh nor how to validate it.
    package static var reasons: StorableFields {
        [.cacheControl, .expires, .entityTag, .lastModified]
    }

    /// Looks at every name once.
    package init(of fields: FieldSection) {
        var found: StorableFields = []
        var index = 0
        while index < fields.count {
            found.formUnion(Self.kind(fields.nameSpan(at: index)))
            index &+= 1
        }
        self = found
    }

    /// The first letter is looked at before the others: most names end there.
    @inline(__always)
    private static func kind(_ name: Span<UInt8>) -> StorableFields {
        switch name.count {
        case 3: named(name, "age", .age)
        case 4:
            switch name[0] | 0x20 {
            case UInt8(ascii: "d"): named(name, "date", .date)
            case UInt8(ascii: "v"): named(name, "vary", .vary)
            case UInt8(ascii: "e"): named(name, "etag", .entityTag)
            default: []
            }
        case 7 where name[0] | 0x20 == UInt8(ascii: "e"): named(name, "expires", .expires)
        case 10 where name[0] | 0x20 == UInt8(ascii: "s"): named(name, "set-cookie", .setCookie)
        case 13:
            switch name[0] | 0x20 {
            case UInt8(ascii: "c"): named(name, "cache-control", .cacheControl)
            case UInt8(ascii: "l"): named(name, "last-modified", .lastModified)
            default: []
            }
        default: []
        }
    }

    @inline(__always)
    private static func named(
        _ name: Span<UInt8>, _ literal: StaticString, _ kind: StorableFields
    ) -> StorableFields {
        ASCII.equalsIgnoringCase(name, literal) ? kind : []
    }
}
