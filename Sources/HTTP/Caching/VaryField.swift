// VaryField: which request fields took part in choosing a response (RFC 9110 section 12.5.5). A
// value; any thread.

internal import FetchBytes

/// The Vary of a response.
package enum VaryField: Equatable, Sendable {
    /// None, or an empty one.
    case nothing
    /// `*`, or something that can't be read: no other request is known to choose the same.
    case everything
    /// Names in lower case, each once, in order.
    case fields([String])

    /// The most names that are looked at; more are taken for `*`.
    package static let mostNames = 32

    /// Reads all Vary lines of a response.
    package init(_ fields: FieldSection) {
        var names: [String] = []
        var next = fields.firstIndex(of: "vary")
        while let index = next {
            let value = fields.valueSpan(at: index)
            var cursor = ListCursor()
            while let range = cursor.next(in: value) {
                let member = value.extracting(range)
                let isStar = member.count == 1 && member[0] == UInt8(ascii: "*")
                guard !isStar, Scan.endOfToken(member, from: 0) == member.count,
                    names.count < Self.mostNames
                else {
                    self = .everything
                    return
                }
                let name = FieldText.latin1(member).lowercased()
                if !names.contains(name) { names.append(name) }
            }
            next = fields.firstIndex(of: "vary", from: index + 1)
        }
        self = names.isEmpty ? .nothing : .fields(names)
    }
}
