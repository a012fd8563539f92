// StoredFields: which fields of a response are kept, and how a newer response changes them (RFC
// 9111 sections 3.1 and 3.2). Pure; any thread.

internal import FetchHTTP
internal import FetchBytes

/// Chooses and merges fields.
enum StoredFields {
    /// The most connection options that are looked at: each costs a look at every field.
    static let mostOptions = 64

    /// Fields of one connection or one hop (RFC 9110 section 7.6.1), and Age, which every answer
    /// gets anew.
    private static func isNeverStored(_ name: Span<UInt8>) -> Bool {
        let names: [StaticString] = [
            "connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade",
            "proxy-authenticate", "proxy-authentication-info", "proxy-authorization", "age",
        ]
        return isOne(name, of: names)
    }

    /// Fields that are meant for every recipient: naming one in Connection is a mistake (RFC 9110
    /// section 7.6.1), and obeying it would change what the response allows.
    private static func isForEverybody(_ name: Span<UInt8>) -> Bool {
        let names: [StaticString] = [
            "cache-control", "expires", "date", "etag", "last-modified", "vary",
            "content-length", "content-type", "content-encoding", "content-range",
        ]
        return isOne(name, of: names)
    }

    /// What depends on the bytes that are stored: a newer response that doesn't bring them can't
    /// change it.
    private static func isOfContent(_ name: Span<UInt8>) -> Bool {
        isOne(name, of: ["content-length", "content-encoding", "content-range"])
    }

    private static func isOne(_ name: Span<UInt8>, of names: [StaticString]) -> Bool {
        for literal in names where ASCII.equalsIgnoringCase(name, literal) { return true }
        return false
    }

    /// Adds what is kept of a response's fields.
    static func append(
        _ response: ResponseFacts, _ rules: CacheRules, received: Int64,
        to builder: inout FieldSectionBuilder
    ) {
        let left = leftOut(response, rules)
        for index in 0..<response.fields.count
        where isKept(response.fields.nameSpan(at: index), left) {
            if !response.hasDate, isDate(response.fields.nameSpan(at: index)) { continue }
            builder.append(response.fields, at: index)
        }
        appendDate(response, received, to: &builder)
    }

    /// Adds the fields of a stored response as a newer one changes them: whatever the newer one
    /// brings takes the place of what was there, but for what belongs to the content.
    ///
    /// - Parameters:
    ///   - forCaller: what the newer one forbids to keep stays in.
    ///   - keepsTag: the entity tag belongs to the content.
    static func merge(
        _ stored: FieldSection, with newer: ResponseFacts, _ rules: CacheRules, received: Int64,
        forCaller: Bool = false, keepsTag: Bool = false, to builder: inout FieldSectionBuilder
    ) {
        let left = leftOut(newer, rules, listed: !forCaller)
        let stays = { (name: Span<UInt8>) in
            isOfContent(name) || keepsTag && ASCII.equalsIgnoringCase(name, "etag")
        }
        for index in 0..<stored.count {
            let name = stored.nameSpan(at: index)
            if isDate(name) || (!stays(name) && brings(newer.fields, name, left)) { continue }
            if left.contains(where: { isNamed(name, $0) }), !isForEverybody(name) { continue }
            builder.append(stored, at: index)
        }
        for index in 0..<newer.fields.count {
            let name = newer.fields.nameSpan(at: index)
            guard isKept(name, left), !stays(name) else { continue }
            if !newer.hasDate, isDate(name) { continue }
            builder.append(newer.fields, at: index)
        }
        appendDate(newer, received, to: &builder)
    }

    /// RFC 9110 section 6.6.1: whoever stores a response without a date gives it one.
    private static func appendDate(
        _ response: ResponseFacts, _ received: Int64, to builder: inout FieldSectionBuilder
    ) {
        if !response.hasDate { builder.append("Date", HTTPDate.text(received)) }
    }

    private static func isDate(_ name: Span<UInt8>) -> Bool {
        ASCII.equalsIgnoringCase(name, "date")
    }

    private static func brings(
        _ fields: FieldSection, _ name: Span<UInt8>, _ left: [String]
    ) -> Bool {
        guard isKept(name, left) else { return false }
        for index in 0..<fields.count
        where Scan.equalsIgnoringCase(fields.nameSpan(at: index), name) {
            return true
        }
        return false
    }

    private static func isKept(_ name: Span<UInt8>, _ left: [String]) -> Bool {
        if isNeverStored(name) { return false }
        for other in left where isNamed(name, other) { return false }
        return true
    }

    private static func isNamed(_ name: Span<UInt8>, _ other: String) -> Bool {
        let utf8 = other.utf8
        return Scan.equalsIgnoringCase(name, utf8.span)
    }

    /// Names that a response itself excludes: those of its connection, and those that no-cache and
    /// private list (sections 5.2.2.4 and 5.2.2.7).
    private static func leftOut(
        _ response: ResponseFacts, _ rules: CacheRules, listed: Bool = true
    ) -> [String] {
        var names = listed ? response.control.noCacheFields : []
        if rules.forcedLifetime != nil { names = [] }
        if rules.isShared { names += response.control.privateFields }
        let most = names.count + mostOptions
        var next = response.fields.firstIndex(of: "connection")
        while let index = next {
            let value = response.fields.valueSpan(at: index)
            var cursor = ListCursor()
            while names.count < most, let member = cursor.next(in: value) {
                let name = value.extracting(member)
                if !isForEverybody(name) { names.append(FieldText.latin1(name).lowercased()) }
            }
            next = response.fields.firstIndex(of: "connection", from: index + 1)
        }
        return names
    }
}
